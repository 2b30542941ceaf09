// Runs before the first paint, so that a chosen theme never flashes in the other one.
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("callsvc.theme"); } catch (refused) { /* private mode: the system's theme holds */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
