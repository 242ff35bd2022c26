// The colours are chosen before anything is drawn, so that nothing flashes.
"use strict";
(function () {
  const root = document.documentElement;
  const choices = ["auto", "light", "dark"];
  const words = { auto: "as the system has them", light: "light", dark: "dark" };
  let choice = "auto";
  try {
    choice = localStorage.getItem("theme") || "auto";
  } catch {
    // A page from a file may have no store; the choice then lasts as long as the page.
  }
  function apply() {
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    const button = document.getElementById("theme");
    if (button) {
      button.setAttribute("aria-label", "Colours: " + words[choice]);
      button.title = "Colours: " + words[choice];
    }
  }
  if (!choices.includes(choice)) choice = "auto";
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", () => {
      choice = choices[(choices.indexOf(choice) + 1) % choices.length];
      try {
        localStorage.setItem("theme", choice);
      } catch {
        // As above.
      }
      apply();
    });
  });
})();

// The data files call this; what they bring is read when somebody asks for it.
const XMOD_DATA = {};
function xmodData(name, text) {
  XMOD_DATA[name] = text;
}
