family("compiler")
setenv("CC", "cc-14")
prepend_path("PATH", "/opt/twins/compiler/14/bin")
prepend_path("MODULEPATH", (string.gsub(myFileName(), "/Core/.*", "/Compiler/14")))
