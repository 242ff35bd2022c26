-- xmod for Lua with luaposix: module("load", "gcc") changes the environment of this process.
--     dofile(os.getenv("MODULESHOME") .. "/init/lua")

local posix = require("posix")

local home = posix.getenv("MODULESHOME")
if posix.access(@LMOD_CMD@, "x") or not home then
  posix.setenv("MODULESHOME", @MODULESHOME@)
  posix.setenv("LMOD_CMD", @LMOD_CMD@)
  posix.setenv("LMOD_DIR", @LMOD_DIR@)
else
  -- The tree was moved.
  posix.setenv("LMOD_DIR", home .. "/libexec")
  posix.setenv("LMOD_CMD", home .. "/libexec/lmod")
end

-- Runs one module command; returns true when it was met, or its text result.
function module(...)
  local words = { posix.getenv("LMOD_CMD"), "lua", ... }
  for i, word in ipairs(words) do
    words[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
  end
  local answer = assert(io.popen(table.concat(words, " ")))
  local code = answer:read("*a")
  answer:close()
  local scope = setmetatable({}, { __index = _G })
  local chunk
  if setfenv then
    chunk = assert(loadstring(code))
    setfenv(chunk, scope)
  else
    chunk = assert(load(code, "=module", "t", scope))
  end
  chunk()
  return rawget(scope, "_mlstatus") or false
end

if not posix.getenv("MODULEPATH") and posix.access(posix.getenv("MODULESHOME") .. "/etc/modulespath", "r") then
  module("modulespath")
end
