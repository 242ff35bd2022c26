local compiler = "gcc/13.2.0"
local root = pathJoin("/opt/site", compiler, "mpich", myModuleVersion())
local site = string.gsub(myFileName(), "/Compiler/.*", "")

whatis("Description: MPICH: message passing between processes")
whatis("Category: MPI")
whatis("URL: https://www.mpich.org")

family("mpi")
setenv("MPICC", "mpicc")
setenv("MPI_HOME", root)
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("LD_LIBRARY_PATH", pathJoin(root, "lib"))
prepend_path("MODULEPATH", pathJoin(site, "MPI", compiler, "mpich", myModuleVersion()))
