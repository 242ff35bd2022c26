//! Links the release program at a fixed address: docs/internals/decisions/002-fixed-address.md has the figures.
//!
//! `XMOD_PIE=1 cargo build --release` leaves the address to chance.

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo speaks to build scripts through the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=XMOD_PIE");
    let is = |name: &str, word: &str| {
        std::env::var(name).is_ok_and(|value| value.split(',').any(|w| w == word))
    };
    let is_static = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("CARGO_CFG_TARGET_FEATURE", "crt-static");
    if is_static && is("PROFILE", "release") && !is("XMOD_PIE", "1") {
        // rustc asks for `-static-pie`; what comes last counts. Not `-C relocation-model=static` among the flags of
        // .cargo/config.toml: that cannot be said for one profile, and it takes `XMOD_PIE` away.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        println!("cargo::rustc-link-arg-bins=-static");
    }
}
