// A native <dialog>: its button opens it without asking the server; it closes when `closesOn` changes,
// on Esc, on its veil and on [data-closes-dialog]. Its body is only there while it is open.
import { useEffect, useRef, useState } from "react";

export function ModalDialog({ id, labelledBy, closesOn, onOpen, onClosed, children }) {
  const ref = useRef(null);
  const first = useRef(closesOn);
  const [open, setOpen] = useState(false);

  useEffect(() => {
    const asked = (event) => {
      const button = event.target.closest?.("[data-opens-dialog]");
      if (button?.dataset.opensDialog !== id) return;
      event.preventDefault();
      setOpen(true);
      onOpen?.();
    };
    document.addEventListener("click", asked);
    return () => document.removeEventListener("click", asked);
  }, [id, onOpen]);

  useEffect(() => {
    const dialog = ref.current;
    if (open && !dialog.open) {
      dialog.showModal();
      (dialog.querySelector("[data-first]") || dialog.querySelector("input, select, button"))?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);

  useEffect(() => {
    if (first.current === closesOn) return;
    first.current = closesOn;
    setOpen(false);
  }, [closesOn]);

  const closed = () => {
    setOpen(false);
    onClosed?.();
  };
  // A text that is selected from a field out onto the veil is no click on the veil.
  const pressed = useRef(null);
  const clicked = (event) => {
    if ((event.target === ref.current && pressed.current === ref.current) || event.target.closest("[data-closes-dialog]")) setOpen(false);
  };
  return (
    <dialog ref={ref} id={id} className="dialog" aria-labelledby={labelledBy} onClose={closed} onPointerDown={(event) => { pressed.current = event.target; }} onClick={clicked}>
      {open ? <div className="dialog-body">{children}</div> : null}
    </dialog>
  );
}
