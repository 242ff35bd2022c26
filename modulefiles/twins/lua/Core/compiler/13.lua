family("compiler")
setenv("CC", "cc-13")
prepend_path("PATH", "/opt/twins/compiler/13/bin")
prepend_path("MODULEPATH", (string.gsub(myFileName(), "/Core/.*", "/Compiler/13")))
