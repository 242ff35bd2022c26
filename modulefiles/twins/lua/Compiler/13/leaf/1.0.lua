setenv("LEAF", myModuleVersion() .. " of 13")
