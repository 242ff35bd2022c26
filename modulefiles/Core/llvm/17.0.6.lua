-- Lua modulefiles work as they do in Lmod. This one is shared by both versions: 18.1.8.lua is a link to it.
local version = myModuleVersion()
local root = pathJoin("/opt/site/llvm", version)
local site = string.gsub(myFileName(), "/Core/.*", "")

whatis("Name: LLVM")
whatis("Description: Compilers for C, C++ and Fortran from the LLVM project")
whatis("Category: Compilers")
whatis("Keywords: C, C++, Fortran, OpenMP")
whatis("URL: https://llvm.org")
help([[
Compilers for C (clang), C++ (clang++) and Fortran (flang).
]])

family("compiler")
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("LD_LIBRARY_PATH", pathJoin(root, "lib"))
setenv("CC", "clang")
setenv("CXX", "clang++")
setenv("FC", "flang")
prepend_path("MODULEPATH", pathJoin(site, "Compiler/llvm", version))
