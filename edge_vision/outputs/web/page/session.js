// Logging out, where somebody is logged in.

import { ask, askJson } from "./ask.js";

export async function offerLogout() {
  const button = document.getElementById("logout");
  button.addEventListener("click", async () => {
    await ask("/api/logout", { method: "POST", headers: { "Content-Type": "application/json" } });
    location.replace("/login");
  });
  // Whoever is not told so can still go on without the button.
  const session = await askJson("/api/session").catch(() => ({ login_needed: false }));
  button.hidden = !session.login_needed;
}
