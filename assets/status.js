// Reads the page again each minute, but not while somebody writes into its form. Without scripts the page does it itself.
setInterval(() => {
  const writing = [...document.querySelectorAll("input")].some((field) => field.value || field === document.activeElement);
  if (!writing) location.reload();
}, 60_000);
