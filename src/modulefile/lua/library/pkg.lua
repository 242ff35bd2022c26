-- Pkg: one table of facts gives a package its whatis lines, its help and the usual variables.
-- Source: what Lmod's `show` prints for modulefiles that use it.
local site_name = ...

local Pkg = {}
Pkg.__index = Pkg

-- By key: the directory below the package, and the path variable that gets it.
local PLACES = {
    DIR = { "" },
    BIN = { "bin", "PATH" },
    LIB = { "lib" },
    INC = { "include" },
    MAN = { "man", "MANPATH" },
    DOC = { "doc" },
}

-- The directories round the module, outermost first.
local function outer(name, levels)
    local found = {}
    for _, level in ipairs(levels > 0 and hierarchyA(name, levels) or {}) do
        table.insert(found, 1, level)
    end
    return found
end

-- Pkg:new{Category=, URL=, Description=, Keywords=, License=, help=, display_name=, level=}
function Pkg:new(facts)
    local o = setmetatable({}, self)
    for key, value in pairs(facts or {}) do o[key] = value end
    o.level = tonumber(o.level) or 0
    o._pkgName = myModuleName()
    o._pkgVersion = myModuleVersion()
    o._pkgNameVer = myModuleFullName()
    o._display_name = o.display_name or o._pkgName
    o._pkgRoot = os.getenv("SITE_PACKAGE_ROOT") or "/opt/apps"
    local parts = { o._pkgRoot }
    for _, level in ipairs(outer(o._pkgNameVer, o.level)) do
        parts[#parts + 1] = (level:gsub("/", "-"))
    end
    parts[#parts + 1] = o._pkgNameVer
    o._pkgBase = pathJoin(unpack(parts))
    o:setPkgInfo()
    return o
end

-- PkgBase.build(NAME): the class of a site's own module, which is derived from this one.
function Pkg.build(name) return require(name) end

function Pkg:name() return "Pkg" end
function Pkg:pkgBase() return self._pkgBase end
function Pkg:pkgName() return self._pkgName end
function Pkg:pkgDisplayName() return self._display_name end
function Pkg:pkgVersion() return self._pkgVersion end

-- Where the modules lie that this one opens.
function Pkg:moduleDir()
    local kind = self.level == 0 and "Compiler" or "MPI"
    local parts = outer(self._pkgNameVer, self.level)
    parts[#parts + 1] = self._pkgNameVer
    return pathJoin(os.getenv("MODULEPATH_ROOT") or "", kind, unpack(parts))
end

-- Says what the package is.
function Pkg:setPkgInfo()
    whatis("Name: " .. self._display_name)
    whatis("Version: " .. self._pkgVersion)
    for _, key in ipairs { "Category", "Description", "URL", "License", "Keywords" } do
        if self[key] then whatis(key .. ": " .. self[key]) end
    end
    if self.help then help(self.help, "\nVersion " .. self._pkgVersion .. "\n") end
end

-- setStandardPaths(KEY...): a variable for each directory, and the path variables that belong to it.
function Pkg:setStandardPaths(...)
    local prefix = site_name() .. "_" .. self._display_name:upper():gsub("[^A-Z0-9]", "_") .. "_"
    for _, key in ipairs { ... } do
        local place = PLACES[tostring(key):upper()]
        if not place then
            error("Pkg: setStandardPaths: `" .. tostring(key) .. "` is not BIN, DIR, DOC, INC, LIB or MAN", 2)
        end
        local dir = pathJoin(self._pkgBase, place[1])
        setenv(prefix .. key:upper(), dir)
        if place[2] then prepend_path(place[2], dir) end
    end
end

return Pkg
