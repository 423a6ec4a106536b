// The search over everything, opened by Ctrl/⌘-K or [data-opens-search]: a combobox over a listbox in a native <dialog>.
// What is found comes from the server; here are only keys, focus and where a hit leads.
import { ArrowRight, BookOpen, Building2, FolderKanban, KeyRound, Plus, Search, SunMoon } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";

const PAUSE = 120;
const ICONS = {
  page: ArrowRight, docs: BookOpen, project: FolderKanban, key: KeyRound, organization: Building2, action: Plus, theme: SunMoon,
};

// Whoever hears these attributes listens on the document.
const press = (attribute, value) => {
  const button = document.createElement("button");
  button.hidden = true;
  button.dataset[attribute] = value;
  document.body.append(button);
  button.click();
  button.remove();
};

const grouped = (hits) => {
  const groups = [];
  hits.forEach((hit, place) => {
    if (groups.at(-1)?.name !== hit.group) groups.push({ name: hit.group, rows: [] });
    groups.at(-1).rows.push({ ...hit, place });
  });
  return groups;
};

export function CommandPalette({ hits, asked, answers, problem, reference, onLook, onSwitch }) {
  const dialog = useRef(null);
  const list = useRef(null);
  const pressed = useRef(null);
  const eager = useRef(false);
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const fresh = answers > 0 && asked === words.trim() && !problem;

  const show = useCallback(() => {
    setWords("");
    setAt(0);
    eager.current = false;
    setOpen(true);
    if (!dialog.current.open) dialog.current.showModal();
  }, []);

  useEffect(() => {
    const keyed = (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
      if (document.querySelector("dialog[open]:not(.palette)")) return;
      event.preventDefault();
      if (dialog.current.open) dialog.current.close();
      else show();
    };
    const clicked = (event) => {
      if (event.target.closest?.("[data-opens-search]")) show();
    };
    document.addEventListener("keydown", keyed);
    document.addEventListener("click", clicked);
    return () => {
      document.removeEventListener("keydown", keyed);
      document.removeEventListener("click", clicked);
    };
  }, [show]);

  useEffect(() => {
    if (open) dialog.current.querySelector("input").focus();
  }, [open]);

  // Each pause in typing asks once; opening asks at once.
  useEffect(() => {
    if (!open) return undefined;
    const timer = setTimeout(() => onLook(words.trim()), words ? PAUSE : 0);
    return () => clearTimeout(timer);
  }, [open, words]);

  const choose = (hit) => {
    if (!hit) return;
    dialog.current.close();
    if (hit.to) navigate(hit.to);
    else if (hit.href) window.location.assign(hit.href);
    else if (hit.organization) onSwitch(hit.organization);
    else if (hit.opens) press("opensDialog", hit.opens);
    else if (hit.theme) press("setsTheme", hit.theme);
  };

  useEffect(() => {
    setAt(0);
    if (eager.current && fresh) {
      eager.current = false;
      choose(hits[0]);
    }
  }, [answers]);

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const keyed = (event) => {
    const last = hits.length - 1;
    const step = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1 }[event.key];
    if (step !== undefined && last >= 0) {
      event.preventDefault();
      setAt(step);
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      // Enter before the answer is there opens the first of it.
      if (fresh) choose(hits[at]);
      else eager.current = true;
    }
  };
  const nothing = fresh && hits.length === 0;
  const told = problem || (fresh ? (nothing ? "Nothing found" : `${hits.length} found`) : "");

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Search or jump to"
      // The browser tells of a closing a moment later; by then it may be open again.
      onClose={() => setOpen(dialog.current.open)}
      // A text that is selected from the field out onto the veil is no click on the veil.
      onPointerDown={(event) => { pressed.current = event.target; }}
      onClick={(event) => event.target === dialog.current && pressed.current === dialog.current && dialog.current.close()}
    >
      {open ? (
        <div className="palette-body">
          <div className="palette-top">
            <Search className="icon" aria-hidden="true" />
            <input
              type="text"
              role="combobox"
              aria-label="Search or jump to"
              aria-expanded={hits.length > 0}
              aria-controls="palette-list"
              aria-autocomplete="list"
              aria-activedescendant={hits[at] ? `palette-${at}` : undefined}
              placeholder="Search or jump to…"
              autoComplete="off"
              spellCheck={false}
              maxLength={200}
              value={words}
              onChange={(event) => setWords(event.target.value)}
              onKeyDown={keyed}
            />
            <button type="button" className="palette-close" onClick={() => dialog.current.close()}>
              <kbd>Esc</kbd>
              <span className="seen-by-readers"> Close the search</span>
            </button>
          </div>
          <div ref={list} id="palette-list" role="listbox" aria-label="Found" aria-busy={!fresh} className="palette-list">
            {problem ? null : grouped(hits).map((group) => (
              <div key={group.name} role="group" aria-labelledby={`palette-group-${group.rows[0].place}`}>
                <div className="palette-group" id={`palette-group-${group.rows[0].place}`} role="presentation">{group.name}</div>
                {group.rows.map((hit) => {
                  const Icon = ICONS[hit.kind] || ArrowRight;
                  return <div
                    key={hit.id}
                    id={`palette-${hit.place}`}
                    role="option"
                    aria-selected={hit.place === at}
                    className="palette-hit"
                    onMouseMove={() => hit.place !== at && setAt(hit.place)}
                    onClick={() => choose(hit)}
                  >
                    <Icon className="icon" aria-hidden="true" />
                    <bdi className="one-line palette-name">{hit.name}</bdi>
                    {hit.note ? <bdi className="one-line palette-note">{hit.note}</bdi> : null}
                  </div>;
                })}
              </div>
            ))}
            {!fresh && hits.length === 0 && !problem
              ? [0, 1, 2, 3].map((row) => <div key={row} className="palette-hit" aria-hidden="true"><span className="bone" /></div>)
              : null}
          </div>
          {nothing ? (
            <div className="palette-said">
              <strong>Nothing matches</strong>
              <span>Pages, projects and organizations are found by their names, keys also by the whole API key. Ids are found whole.</span>
            </div>
          ) : null}
          {problem ? (
            <div className="palette-said" role="alert">
              <strong>The search has no answer.</strong>
              <span>{problem} The pages in the side still open.</span>
              <span>Request <code>{reference}</code></span>
              <button type="button" className="button button-small" onClick={() => onLook(words.trim())}>Try again</button>
            </div>
          ) : null}
          <div className="palette-foot" aria-hidden="true">
            <span><kbd>↑</kbd><kbd>↓</kbd> choose</span>
            <span><kbd>↵</kbd> open</span>
          </div>
          <div role="status" className="seen-by-readers">{told}</div>
        </div>
      ) : null}
    </dialog>
  );
}

// The keys as this machine writes them; the prerendered page does not know the machine.
export function Shortcut() {
  const [keys, say] = useState("Ctrl K");
  useEffect(() => {
    if (/Mac|iPhone|iPad/.test(navigator.platform)) say("⌘K");
  }, []);
  return <kbd aria-hidden="true">{keys}</kbd>;
}
