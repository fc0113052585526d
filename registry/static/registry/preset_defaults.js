// Shows in grey, in the empty fields of a preset, what the model does that is chosen at the moment.
// No module, since the admin includes the scripts of forms as plain ones.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const select = document.querySelector("select[data-defaults]");
  if (!select) return; // who may only look sees no form

  async function follow() {
    const key = select.value;
    const response = await fetch(`${select.dataset.defaults}?${new URLSearchParams({ model: key })}`);
    if (!response.ok) return;
    const texts = await response.json();
    if (select.value !== key) return; // another one was chosen meanwhile
    for (const [name, text] of Object.entries(texts)) document.getElementById(`id_${name}`).placeholder = text;
  }

  django.jQuery(select).on("change", follow); // select2 tells only jQuery
});
