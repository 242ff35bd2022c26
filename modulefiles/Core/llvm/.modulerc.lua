-- 18.1.8 is installed, but not yet what people get when they say `llvm`.
module_version("/17.0.6", "default")
