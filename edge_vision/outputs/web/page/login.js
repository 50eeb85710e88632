// The login form: by fetch, as the server takes JSON only.

const form = document.getElementById("login");
const password = document.getElementById("password");
const wrong = document.getElementById("wrong");
const enter = document.getElementById("enter");

/** Nobody may try before `seconds` have passed; the button says how many are left. */
function lockOut(seconds) {
  const until = performance.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    enter.disabled = left > 0;
    enter.textContent = left > 0 ? `Wait ${left} s` : "Log in";
    if (left > 0) setTimeout(tick, 250);
    else password.focus();
  };
  tick();
}

function post() {
  return fetch("/api/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ password: password.value }),
  });
}

async function logIn() {
  wrong.textContent = "";
  enter.disabled = true;
  let answer, problem;
  try {
    answer = await post();
    if (!answer.ok) problem = await answer.json();
  } catch {
    problem = { detail: "The board does not answer; try again." };
  }
  enter.disabled = false;
  if (!problem) {
    location.replace("/");
    return;
  }
  wrong.textContent = problem.detail;
  password.select();
  if (answer?.status === 429) lockOut(Number(answer.headers.get("Retry-After")) || 1);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!enter.disabled) logIn();
});
