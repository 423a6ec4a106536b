// Brings what it stands in into view once, when it appears: a secret that is shown once, the tab that is looked at.
import { useEffect, useRef } from "react";

export function Reveal() {
  const mark = useRef(null);
  useEffect(() => {
    // After the dialog that made it has closed and given the focus back.
    const timer = setTimeout(() => mark.current?.parentElement?.scrollIntoView({ block: "nearest", inline: "center" }), 60);
    return () => clearTimeout(timer);
  }, []);
  return <span ref={mark} hidden />;
}
