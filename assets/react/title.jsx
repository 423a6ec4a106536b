// The document's title once the page knows what it shows; the prerendered one knows only the kind of page.
import { useEffect } from "react";

export function PageTitle({ words }) {
  useEffect(() => {
    if (words) document.title = `${words} · Pulse`;
  }, [words]);
  return null;
}
