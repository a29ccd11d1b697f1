// Light or dark as the system is, until somebody chooses here.

const root = document.documentElement;
if (localStorage.theme) root.dataset.theme = localStorage.theme;
document.querySelector(".theme").onclick = () => {
  const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = localStorage.theme = now === "dark" ? "light" : "dark";
};
