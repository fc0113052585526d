// Buttons with data-copy="id" copy the text of that element.

/** texts: copied, copyFailed. say: called with what to tell the user. */
export function activateCopyButtons(root, texts, say) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      const isCopied = await copy(source.textContent);
      if (!isCopied) select(source);
      say(isCopied ? texts.copied : texts.copyFailed);
    });
  }
}

/** Browsers keep the clipboard from pages that came over plain HTTP from another machine. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}
