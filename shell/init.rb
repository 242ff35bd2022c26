# xmod for Ruby: `ENVModule.module("load", "gcc")` changes ENV of this process.
#     require ENV["MODULESHOME"] + "/init/env_modules_ruby.rb"

require "open3"

if File.executable?(@LMOD_CMD@) || ENV["MODULESHOME"].nil?
  ENV["MODULESHOME"] = @MODULESHOME@
  ENV["LMOD_CMD"] = @LMOD_CMD@
  ENV["LMOD_DIR"] = @LMOD_DIR@
else
  # The tree was moved.
  ENV["LMOD_DIR"] = ENV["MODULESHOME"] + "/libexec"
  ENV["LMOD_CMD"] = ENV["LMOD_DIR"] + "/lmod"
end

class ENVModule
  # Runs one module command; its messages go to standard error. Returns whether it was met, or its text result.
  def self.module(*words)
    words = words.flat_map { |word| word.to_s.split }
    code, messages, = Open3.capture3(ENV["LMOD_CMD"], "ruby", *words)
    $stderr.print messages
    _mlstatus = false
    eval(code + "\n_mlstatus")
  end

  def module(*words)
    self.class.module(*words)
  end
end

if ENV["MODULEPATH"].nil? && File.readable?(ENV["MODULESHOME"] + "/etc/modulespath")
  ENVModule.module("modulespath")
end
