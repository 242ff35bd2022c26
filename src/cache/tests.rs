use super::WITHOUT_INFLUENCE;
use crate::config::{Config, Policy};

#[test]
fn what_has_no_influence_is_a_setting() {
    let settings = Config::preset(Policy::Lmod).list();
    for name in WITHOUT_INFLUENCE {
        assert!(settings.iter().any(|(known, ..)| known == name), "{name}");
    }
}
