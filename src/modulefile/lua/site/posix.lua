-- The shapes of luaposix: its flat table `posix`, as versions up to 33 have it, and its modules `posix.NAME`.
-- `base` is what modulefiles find under `posix`, `sys` the plain functions, `numbers` the constants.
-- Source: luaposix manual.
local base, sys, numbers = ...

local posix = { version = "posix for Lua 5.4 (xmod)" }
for _, part in ipairs { base, numbers, sys } do
    for name, value in pairs(part) do posix[name] = value end
end
for _, own in ipairs { "ids", "entry", "names", "clock", "wait_ms", "errno_text", "environment", "hard_link", "symlink" } do
    posix[own] = nil
end

-- f(ARG): all facts; f(ARG, NAME...) or f(ARG, {NAME...}): those that are named, in this order.
local function chosen(all, ...)
    local wanted = type((...)) == "table" and (...) or { ... }
    if all == nil or #wanted == 0 then return all end
    local found = {}
    for index, name in ipairs(wanted) do found[index] = all[name] end
    return table.unpack(found, 1, #wanted)
end

local function with_prefix(prefix, all)
    if not all then return all end
    local renamed = {}
    for name, value in pairs(all) do renamed[prefix .. name] = value end
    return renamed
end

-- Processes and users.
for _, name in ipairs { "ppid", "pgrp", "uid", "euid", "gid", "egid" } do
    posix["get" .. name] = function() return sys.ids()[name] end
end
function posix.getpid(...) return chosen(sys.ids(), ...) end
function posix.gethostid() return base.hostid() end
function posix.getlogin() return os.getenv("LOGNAME") end
function posix.ctermid() return "/dev/tty" end
function posix.ttyname() return nil end

local function fields(line)
    local parts = {}
    for part in (line .. ":"):gmatch("([^:]*):") do parts[#parts + 1] = part end
    return parts
end

local function user(key)
    local line = sys.entry("passwd", tostring(key or sys.ids().euid))
    local parts = line and fields(line)
    return parts and {
        name = parts[1], passwd = parts[2], uid = tonumber(parts[3]), gid = tonumber(parts[4]), gecos = parts[5],
        dir = parts[6], shell = parts[7],
    }
end

local function group(key)
    local line = sys.entry("group", tostring(key or sys.ids().egid))
    local parts = line and fields(line)
    if not parts then return nil end
    local members = {}
    for member in (parts[4] or ""):gmatch("[^,]+") do members[#members + 1] = member end
    return { name = parts[1], gid = tonumber(parts[3]), mem = members }
end

function posix.getpasswd(key, ...) return chosen(user(key), ...) end
function posix.getpwnam(name) return with_prefix("pw_", user(name)) end
function posix.getpwuid(uid) return with_prefix("pw_", user(uid)) end
function posix.getgroup(key) return group(key) end
function posix.getgrnam(name) return with_prefix("gr_", group(name)) end
function posix.getgrgid(gid) return with_prefix("gr_", group(gid)) end

-- Files. A mode is a number, or text such as `rwxr-x---`.
local KINDS = {
    [numbers.S_IFREG] = "regular", [numbers.S_IFDIR] = "directory", [numbers.S_IFLNK] = "link", [numbers.S_IFIFO] = "fifo",
    [numbers.S_IFSOCK] = "socket", [numbers.S_IFCHR] = "character device", [numbers.S_IFBLK] = "block device",
}

local function letters(mode)
    return (("rwxrwxrwx"):gsub("()(.)", function(at, letter) return mode >> (9 - at) & 1 == 1 and letter or "-" end))
end

local function number(mode)
    if type(mode) ~= "string" then return mode end
    local sum = 0
    for at = 1, #mode do sum = sum << 1 | (mode:sub(at, at) == "-" and 0 or 1) end
    return sum
end

function posix.stat(path, ...)
    local all, why, errno = sys.lstat(path)
    if not all then return nil, why, errno end
    all.type, all.mode = KINDS[all.mode & numbers.S_IFMT] or "unknown", letters(all.mode)
    all.blksize, all.blocks, all.rdev = nil, nil, nil
    return chosen(all, ...)
end

local function status(look)
    return function(path)
        local all, why, errno = look(path)
        if not all then return nil, why, errno end
        return with_prefix("st_", all)
    end
end
posix.lstat = status(sys.lstat)

function posix.chmod(path, mode) return sys.chmod(path, number(mode)) end
function posix.mkdir(path, mode)
    local done, why, errno = sys.mkdir(path)
    if done and mode then return sys.chmod(path, number(mode)) end
    return done, why, errno
end
function posix.link(target, path, soft) return (soft and sys.symlink or sys.hard_link)(target, path) end
function posix.symlink(target, path) return sys.symlink(target, path) end
function posix.glob(pattern) return sys.glob(type(pattern) == "string" and pattern or "*") end
function posix.statvfs(path, ...) return chosen(sys.statvfs(path), ...) end
function posix.dir(path)
    local found, why, errno = sys.names(path or ".")
    if found then return found, #found end
    return nil, why, errno
end
function posix.files(path)
    local found, at = assert(sys.names(path or ".")), 0
    return function()
        at = at + 1
        return found[at]
    end
end
function posix.basename(path) return path:match("([^/]+)/*$") or (path == "" and "." or "/") end
function posix.dirname(path)
    local parent = path:gsub("/+$", ""):match("^(.*)/[^/]*$")
    if parent == nil then return path:sub(1, 1) == "/" and "/" or "." end
    return parent == "" and "/" or parent
end

-- The environment: what the request has changed so far is in it.
function posix.getenv(name)
    if name == nil then return sys.environment() end
    return base.getenv(name)
end

-- Time.
local function seconds() return (sys.clock(numbers.CLOCK_REALTIME)) end
posix.time = seconds
function posix.sleep(time)
    sys.wait_ms(math.tointeger(time * 1000 // 1) or 0)
    return 0
end
function posix.nanosleep(time, nanoseconds)
    if type(time) == "table" then time, nanoseconds = time.tv_sec, time.tv_nsec end
    sys.wait_ms((time or 0) * 1000 + (nanoseconds or 0) // 1000000)
    return 0
end
local CLOCKS = { monotonic = "CLOCK_MONOTONIC", process_cputime_id = "CLOCK_PROCESS_CPUTIME_ID", thread_cputime_id = "CLOCK_THREAD_CPUTIME_ID" }
function posix.clock_gettime(name) return sys.clock(numbers[CLOCKS[name] or "CLOCK_REALTIME"]) end
function posix.gettimeofday()
    local sec, nsec = sys.clock(numbers.CLOCK_REALTIME)
    return { sec = sec, usec = nsec // 1000 }
end

local function broken_down(format, time)
    local t = os.date(format, time or seconds())
    return {
        year = t.year, month = t.month, day = t.day, monthday = t.day, hour = t.hour, min = t.min, sec = t.sec,
        weekday = t.wday - 1, yearday = t.yday - 1, is_dst = t.isdst,
    }
end
function posix.localtime(time) return broken_down("*t", time) end
function posix.gmtime(time) return broken_down("!*t", time) end
function posix.mktime(t)
    return os.time { year = t.year, month = t.month, day = t.monthday or t.day, hour = t.hour, min = t.min, sec = t.sec }
end
function posix.strftime(format, t) return (os.date(format, t and posix.mktime(t) or seconds())) end

local function to_tm(t)
    return {
        tm_year = t.year - 1900, tm_mon = t.month - 1, tm_mday = t.day, tm_hour = t.hour, tm_min = t.min, tm_sec = t.sec,
        tm_wday = t.weekday, tm_yday = t.yearday, tm_isdst = t.is_dst and 1 or 0,
    }
end
local function of_tm(tm)
    return {
        year = tm.tm_year + 1900, month = tm.tm_mon + 1, day = tm.tm_mday, hour = tm.tm_hour, min = tm.tm_min,
        sec = tm.tm_sec,
    }
end

-- Errors: nothing keeps the last one.
function posix.errno(number) return sys.errno_text(number or 0), number or 0 end

local sc = {}
for name, value in pairs(numbers) do
    local short = name:match("^_SC_(.*)")
    if short then sc[short] = value end
end
function posix.sysconf(...)
    local all = {}
    for name, value in pairs(sc) do all[name] = sys.sysconf(value) end
    return chosen(all, ...)
end

-- posix.NAME: those of the flat table under the same names, unless a module has a shape of its own.
local modules = { posix = posix }
local function module(name, names, own)
    local table = own or {}
    for word in names:gmatch("%S+") do
        if table[word] == nil then table[word] = posix[word] end
    end
    table.version = posix.version
    modules["posix." .. name] = table
end
local function constants(pattern, table)
    for name, value in pairs(numbers) do
        if name:find(pattern) then table[name] = value end
    end
    return table
end

module("unistd", [[_exit access alarm chdir chown close dup dup2 exec execp fork getcwd getegid geteuid getgid getgroups
    getlogin getpgrp getppid getuid isatty link nice pipe read readlink rmdir setpid sleep ttyname unlink write gethostid]],
    constants("^_SC_", constants("_FILENO$", {
        getpid = function() return sys.ids().pid end,
        sysconf = sys.sysconf,
    })))
module("stdlib", "abort getenv mkdtemp mkstemp realpath setenv")
module("stdio", "ctermid fdopen rename")
module("libgen", "basename dirname")
module("dirent", "files", { dir = function(path) return (posix.dir(path)) end })
module("glob", "glob")
module("fnmatch", "", constants("^FNM_", {
    fnmatch = function(pattern, text, flags) return sys.fnmatch(pattern, text, flags) and 0 or numbers.FNM_NOMATCH end,
}))
module("pwd", "getpwnam getpwuid")
module("grp", "getgrnam getgrgid")
module("errno", "errno", constants("^E%u+$", {}))
module("utime", "utime")
module("signal", "kill killpg raise signal")
module("sys.wait", "wait")
module("sys.stat", "mkfifo umask", constants("^S_I", {
    stat = status(sys.stat),
    lstat = posix.lstat,
    chmod = sys.chmod,
    mkdir = posix.mkdir,
}))
for kind, bits in pairs { BLK = "BLK", CHR = "CHR", DIR = "DIR", FIFO = "FIFO", LNK = "LNK", REG = "REG", SOCK = "SOCK" } do
    modules["posix.sys.stat"]["S_IS" .. kind] = function(mode)
        return mode & numbers.S_IFMT == numbers["S_IF" .. bits] and 1 or 0
    end
end
module("sys.statvfs", "", { statvfs = function(path)
    local all, why, errno = sys.statvfs(path)
    if not all then return nil, why, errno end
    return with_prefix("f_", all)
end })
module("sys.time", "", { gettimeofday = function()
    local now = posix.gettimeofday()
    return { tv_sec = now.sec, tv_usec = now.usec }
end })
module("sys.utsname", "", { uname = function()
    return {
        sysname = base.uname("%s"), nodename = base.uname("%n"), release = base.uname("%r"), version = base.uname("%v"),
        machine = base.uname("%m"),
    }
end })
module("syslog", "closelog openlog syslog")
for name, value in pairs(base) do
    if name:find("^LOG_") then modules["posix.syslog"][name] = value end
end
module("time", "nanosleep time", constants("^CLOCK_", {
    clock_gettime = function(clock)
        local sec, nsec, errno = sys.clock(clock)
        if not sec then return nil, nsec, errno end
        return { tv_sec = sec, tv_nsec = nsec }
    end,
    localtime = function(time) return to_tm(posix.localtime(time)) end,
    gmtime = function(time) return to_tm(posix.gmtime(time)) end,
    mktime = function(tm) return posix.mktime(of_tm(tm)) end,
    strftime = function(format, tm) return posix.strftime(format, of_tm(tm)) end,
}))

return modules
