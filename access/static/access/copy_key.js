// The button that copies a new API key.

const field = document.getElementById("new-key");
const button = document.getElementById("copy-key");
const status = document.getElementById("copy-key-status");

// Browsers offer `navigator.clipboard` only over HTTPS and on localhost; elsewhere the old way still works.
async function copy() {
  field.select();
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(field.value);
  } else if (!document.execCommand("copy")) {
    return;
  }
  status.textContent = button.dataset.copied;
}

button.addEventListener("click", copy);
field.addEventListener("focus", () => field.select());
