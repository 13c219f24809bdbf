// Buttons that copy the text of an element. Without script, or without a clipboard, there are none.
const said = document.getElementById("said");

for (const button of document.querySelectorAll("button[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copies).textContent;
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "";
      requestAnimationFrame(() => { said.textContent = button.dataset.done; });
      button.classList.add("done");
      const words = button.firstChild;
      const before = words.textContent;
      words.textContent = button.dataset.done;
      setTimeout(() => { words.textContent = before; button.classList.remove("done"); }, 3000);
    } catch {
      // the browser's person said no: the text is there to be selected
    }
  });
}
