whatis("What the other twins depend on")
local root = pathJoin("/opt/twins/base", myModuleVersion())

setenv("BASE_HOME", root)
setenv("BASE_THREADS", 4)
prepend_path("PATH", pathJoin(root, "bin"))
