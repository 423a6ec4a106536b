// Times as people say them, kept fresh in the browser, with the exact time on hover; and the greeting of the hour.
// Both begin empty: the prerendered page knows neither the visitor's clock nor its zone.
import { useEffect, useState } from "react";

const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const DAY = 86400;

// Of today the time, of other days the day with it, of other years the day alone.
const clockOf = (then) => {
  const now = new Date();
  if (then.toDateString() === now.toDateString()) return clock.format(then);
  return then.getFullYear() === now.getFullYear() ? dayAndClock.format(then) : shortDay.format(then);
};

const span = (seconds) => {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
};

const relative = (then) => {
  const seconds = (Date.now() - then.getTime()) / 1000;
  if (seconds < -2 * DAY) return shortDay.format(then);
  // Rounded, not cut: four hours minus a blink is "in 4 h".
  if (seconds < -1) return `in ${span(-seconds + (seconds < -3600 ? 1800 : seconds < -60 ? 30 : 0))}`;
  if (seconds < 3) return "just now";
  if (seconds < DAY) return `${span(seconds)} ago`;
  if (seconds < 2 * DAY) return "yesterday";
  if (seconds < 7 * DAY) return `${Math.floor(seconds / DAY)} days ago`;
  return shortDay.format(then);
};

export function PulseTime({ iso, how }) {
  const [, tick] = useState(0);
  useEffect(() => {
    tick(1);
    const timer = setInterval(() => tick((count) => count + 1), 10000);
    return () => clearInterval(timer);
  }, []);
  const then = new Date(iso || "");
  if (Number.isNaN(then.getTime())) return null;
  return (
    <time dateTime={iso} title={exact.format(then)} suppressHydrationWarning>
      {how === "day" ? longDay.format(then) : how === "clock" ? clockOf(then) : relative(then)}
    </time>
  );
}

export function PulseGreeting() {
  const [words, greet] = useState("Hello");
  useEffect(() => {
    const hour = new Date().getHours();
    greet(hour < 5 || hour >= 18 ? "Good evening" : hour < 12 ? "Good morning" : "Good afternoon");
  }, []);
  return words;
}
