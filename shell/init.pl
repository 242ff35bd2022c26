# xmod for Perl: `module("load gcc")` changes %ENV of this process.
#     require "$ENV{MODULESHOME}/init/perl"; module("load", "gcc");

package main;

if (-x @LMOD_CMD@ || !defined $ENV{MODULESHOME}) {
    $ENV{MODULESHOME} = @MODULESHOME@;
    $ENV{LMOD_CMD} = @LMOD_CMD@;
    $ENV{LMOD_DIR} = @LMOD_DIR@;
} else {
    # The tree was moved.
    $ENV{LMOD_DIR} = "$ENV{MODULESHOME}/libexec";
    $ENV{LMOD_CMD} = "$ENV{LMOD_DIR}/lmod";
}

# Runs one module command; returns true when it was met.
sub module {
    my @words = map { split } @_;
    open(my $answer, '-|', $ENV{LMOD_CMD}, 'perl', @words) or return 0;
    local $/;
    my $code = <$answer>;
    close $answer;
    no strict 'vars';
    local $main::_mlstatus = 0;
    eval $code;
    warn $@ if $@;
    return $main::_mlstatus;
}

module('modulespath') if !defined $ENV{MODULEPATH} && -r "$ENV{MODULESHOME}/etc/modulespath";

1;
