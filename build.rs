//! Links the release program at a fixed address, with the functions that requests run side by side:
//! docs/internals/decisions/002-fixed-address.md and 003-order-of-functions.md have the figures.
//!
//! `XMOD_PIE=1 cargo build --release` leaves both to the linker.

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo speaks to build scripts through the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=order.ld");
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
        // An order of sections, not a whole script: LLD and GNU ld both add it to their own.
        let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{here}/order.ld");
    }
}
