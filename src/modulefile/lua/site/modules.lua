-- Lmod's own Lua modules as far as code of sites uses them. Each does here what it promises, from what the commands of
-- modulefiles tell; nothing of it changes a session.
-- Source: Lmod user guide "SitePackage.lua and hooks"; the SitePackage.lua files that sites publish.
local request, message_of, term_width, own_properties = ...

local M = {}

local function words_of(text, pattern)
    local found = {}
    for word in (text or ""):gmatch(pattern) do found[#found + 1] = word end
    return found
end

-- The loaded modules by name, and in the order in which they were loaded.
local function entries()
    local list, by_name = loaded_modules(), {}
    for order, entry in ipairs(list) do
        entry.loadOrder = order
        by_name[entry.sn] = entry
    end
    return list, by_name
end

local function entry_of(name)
    local _, by_name = entries()
    return by_name[name]
end

-- The module that is being evaluated, as far as it has come.
local function pending(name)
    if name ~= myModuleName() or name == "" then return nil end
    return {
        sn = name, fullName = myModuleFullName(), userName = myModuleUsrName(), fn = myFileName(),
        status = "pending", propT = own_properties(),
    }
end

-- FrameStk:singleton():mt(): what is loaded.
local MT = {}
MT.__index = MT

function MT:name() return "_ModuleTable_" end
function MT:empty() return #loaded_modules() == 0 end
function MT:exists(sn) return entry_of(sn) ~= nil or isPending(sn) end

function MT:status(sn)
    if entry_of(sn) then return "active" end
    return isPending(sn) and "pending" or nil
end

function MT:have(sn, status)
    local own = self:status(sn)
    return own ~= nil and (status == "any" or status == own)
end

local function field(name)
    return function(_, sn)
        local entry = pending(sn) or entry_of(sn)
        return entry and entry[name] or nil
    end
end
MT.fullName = field("fullName")
MT.userName = field("userName")
MT.fn = field("fn")
MT.stackDepth = field("stackDepth")
MT.get_ref_count = field("ref_count")

local function version_in(full, sn)
    return full ~= sn and full:sub(#sn + 2) or ""
end

function MT:version(sn)
    local entry = pending(sn) or entry_of(sn)
    return entry and version_in(entry.fullName, sn) or nil
end

-- mt:list(KIND, STATUS): KIND `sn` or `short` gives names, `both` all spellings, `userName` and `fullName` tables.
function MT:list(kind, status)
    local found = {}
    if status ~= "any" and status ~= "active" then return found end
    for _, entry in ipairs((entries())) do
        if kind == "sn" or kind == "short" then
            found[#found + 1] = entry.sn
        elseif kind == "both" then
            found[#found + 1] = entry.userName
            if entry.userName ~= entry.sn then found[#found + 1] = entry.sn end
            if entry.userName ~= entry.fullName then found[#found + 1] = entry.fullName end
        elseif kind == "userName" or kind == "fullName" then
            entry.name = entry[kind]
            found[#found + 1] = entry
        else
            error("mt:list: `" .. tostring(kind) .. "` is not sn, short, both, userName or fullName", 2)
        end
    end
    return found
end

function MT:modulePathA() return words_of(os.getenv("MODULEPATH"), "[^:]+") end

function MT:getfamily(family)
    if family then return os.getenv("LMOD_FAMILY_" .. family:upper()) end
end

-- Only the module that is being evaluated can be given something.
local function own(sn, what)
    if sn ~= myModuleName() then
        error("mt:" .. what .. ": `" .. tostring(sn) .. "` is not the module that is being evaluated", 3)
    end
end

function MT:haveProperty(sn, name, value)
    local entry = pending(sn) or entry_of(sn)
    local values = entry and entry.propT[name]
    return values ~= nil and values[value] ~= nil
end

function MT:add_property(sn, name, value)
    own(sn, "add_property")
    add_property(name, value)
end

function MT:remove_property(sn, name, value)
    own(sn, "remove_property")
    remove_property(name, value)
end

function M.MT()
    local class = {}
    function class:singleton() return setmetatable({}, MT) end
    return class
end

-- MName:new(KIND, NAME): a module by its name; KIND `mt` looks among the loaded ones, `load` where a load would.
local MName = {}
MName.__index = MName

local function find(name)
    local file = isAvail(name)
    if not file then return nil end
    for _, dir in ipairs(MT:modulePathA()) do
        if file:sub(1, #dir + 1) == dir .. "/" then
            local full = file:sub(#dir + 2):gsub("%.lua$", ""):gsub("%.toml$", "")
            local sn = full:sub(1, #name + 1) == name .. "/" and name or full:match("^(.*)/[^/]*$") or full
            return { sn = sn, fullName = full, userName = name, fn = file }
        end
    end
end

function MName:new(kind, name)
    local object = setmetatable({ _name = name }, MName)
    if kind == "mt" or kind == "userName" then
        for _, entry in ipairs(loaded_modules()) do
            if entry.sn == name or entry.fullName == name or entry.userName == name then object._entry = entry end
        end
    elseif kind == "entryT" then
        object._name, object._entry = name.userName or name.fullName, name
    else
        object._entry = find(name)
    end
    return object
end

local function fact(name, default)
    return function(self) return self._entry and self._entry[name] or default end
end
MName.sn = fact("sn", false)
MName.fn = fact("fn", false)
MName.fullName = fact("fullName", false)
MName.ref_count = fact("ref_count", nil)
MName.stackDepth = fact("stackDepth", 0)
function MName:valid() return self._entry ~= nil end
function MName:userName() return self._name end
function MName:isloaded() return isloaded(self._name) end
function MName:isPending() return isPending(self._name) end
function MName:version()
    local entry = self._entry
    return entry and version_in(entry.fullName, entry.sn) or false
end

function M.MName() return MName end

-- FrameStk:singleton(): the module that is being evaluated.
function M.FrameStk()
    local frame = {}
    function frame:singleton() return frame end
    function frame:mt() return setmetatable({}, MT) end
    function frame:origMT() return setmetatable({}, MT) end
    function frame:empty() return myModuleName() == "" end
    -- How many modules wait for the one that is being evaluated, itself included.
    function frame:count()
        local _, lines = moduleStackTraceBack():gsub("\n", "")
        return self:empty() and 0 or lines - 1
    end
    function frame:atTop() return self:count() <= 1 end
    function frame:stackDepth() return math.max(self:count() - 1, 0) end
    function frame:sn() return myModuleName() end
    function frame:fullName() return myModuleFullName() end
    function frame:userName() return myModuleUsrName() end
    function frame:version() return myModuleVersion() end
    function frame:fn() return myFileName() end
    function frame:traceBack() return { myModuleFullName() } end
    function frame:mname()
        return setmetatable({
            _name = myModuleUsrName(),
            _entry = { sn = myModuleName(), fullName = myModuleFullName(), fn = myFileName() },
        }, MName)
    end
    return frame
end

-- The name that older versions of Lmod had for it.
function M.ModuleStack()
    local frame = M.FrameStk()
    function frame:moduleStack() return frame end
    return frame
end

function M.Version()
    local version = {}
    function version.name() return LmodVersion() end
    version.tag, version.cmp_version, version.git = version.name, version.name, function() return "" end
    return version
end

-- The options and words of the request.
local function options()
    local words, style, terse = request()
    return { pargs = words, availStyle = style, terse = terse, usrPathA = {} }
end
function M.optionTbl() return options end
function M.masterTbl() return options end

-- Exec:exec():register(COMMAND): the user's shell runs it behind all changes.
function M.Exec()
    local exec = {}
    function exec:exec() return exec end
    function exec:register(command) execute { cmd = command, modeA = { "all" } } end
    return exec
end

-- Texts by key: i18n(KEY, VALUES).
function M.i18n() return function(key, values) return message_of(key, values or {}) end end

function M.TermWidth() return term_width end

function M.Banner()
    local banner = {}
    function banner:singleton() return banner end
    function banner:border(indent)
        indent = indent or 0
        return (" "):rep(indent) .. ("-"):rep(math.max(term_width() - 4 - indent, 4)) .. "\n"
    end
    function banner:bannerStr(text)
        local width, length = term_width(), #text + 3
        local left = math.max((width - length) // 2, 4)
        return ("-"):rep(left) .. " " .. text .. " " .. ("-"):rep(math.max(width - left - length, 4))
    end
    return banner
end

local function copy(value, known)
    if type(value) ~= "table" then return value end
    known = known or {}
    if known[value] then return known[value] end
    local twin = {}
    known[value] = twin
    for key, inner in pairs(value) do twin[copy(key, known)] = copy(inner, known) end
    return twin
end
function M.deepcopy() return function(value) return copy(value) end end

local function written(value, margin)
    if type(value) ~= "table" then
        return type(value) == "string" and ("%q"):format(value):gsub("\\\n", "\\n") or tostring(value)
    end
    local lines, inside = {}, margin .. "  "
    for index, inner in ipairs(value) do lines[index] = inside .. written(inner, inside) .. ",\n" end
    local keys = {}
    for key in pairs(value) do
        if not (math.type(key) == "integer" and key >= 1 and key <= #value) then keys[#keys + 1] = key end
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do
        local name = type(key) == "string" and key:match("^[%a_][%w_]*$") or "[" .. written(key, "") .. "]"
        lines[#lines + 1] = inside .. name .. " = " .. written(value[key], inside) .. ",\n"
    end
    return #lines == 0 and "{}" or "{\n" .. table.concat(lines) .. margin .. "}"
end

-- serializeTbl{name=, value=, indent=, fn=}: a table as Lua text; written to a file where `fn` names one.
function M.serializeTbl()
    return function(t)
        local text = (t.name and t.name .. " = " or "") .. written(t.value, "") .. "\n"
        if not t.fn then return text end
        local file = assert(io.open(t.fn, "w"))
        file:write(text)
        file:close()
    end
end

function M.base64()
    local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    local base64 = {}
    function base64.encode64(text)
        local out = {}
        for at = 1, #text, 3 do
            local a, b, c = text:byte(at, at + 2)
            local n = a << 16 | (b or 0) << 8 | (c or 0)
            for shift = 18, 0, -6 do
                local letter = n >> shift & 63
                out[#out + 1] = letters:sub(letter + 1, letter + 1)
            end
            if not b then out[#out - 1] = "=" end
            if not c then out[#out] = "=" end
        end
        return table.concat(out)
    end
    function base64.decode64(text)
        local out, bits, n = {}, 0, 0
        for letter in text:gmatch("[%w+/]") do
            n, bits = n << 6 | letters:find(letter, 1, true) - 1, bits + 6
            if bits >= 8 then
                bits = bits - 8
                out[#out + 1] = string.char(n >> bits & 255)
                n = n & (1 << bits) - 1
            end
        end
        return table.concat(out)
    end
    return base64
end

-- Functions that `utils` and its kin define. A warning never changes the status of a request, so there is no flag of it.
local function nothing() end
function M.clearWarningFlag() return nothing end
function M.setWarningFlag() return nothing end
function M.activateWarning() return nothing end
function M.deactivateWarning() return nothing end
function M.getWarningFlag() return function() return false end end
function M.haveWarnings() return function() return true end end
function M.dofile() return function(file) return assert(loadfile(file))() end end
function M.argsPack() return function(...) return { n = select("#", ...), ... } end end
function M.build_fullName()
    return function(sn, version) return version and version ~= "" and sn .. "/" .. version or sn end
end
function M.extractVersion() return function(full, sn) return version_in(full, sn) end end
function M.path2pathA() return function(path, delim) return words_of(path, "[^" .. (delim or ":"):escape() .. "]+") end end
function M.parseVersion() return convertToCanonical end
function M.epoch() return os.time end
function M.quiet() return function() return (os.getenv("LMOD_QUIET") or "") ~= "" end end
function M.expert() return function() return (os.getenv("LMOD_EXPERT") or "") ~= "" end end
function M.lmod_system_execute() return os.execute end
function M.regular_cmp() return function(a, b) return a < b end end
function M.case_independent_cmp() return function(a, b) return a:lower() < b:lower() end end
function M.buildMsg()
    return function(width, ...)
        local parts = { ... }
        for index, part in ipairs(parts) do parts[index] = tostring(part) end
        return table.concat(parts, " "):fillWords("", width)
    end
end

return M
