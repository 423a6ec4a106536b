// Joins a room with LiveKit's own web client, which is fetched only when somebody presses Join.
// It shows who is there, publishes microphone and camera on demand, and says what went wrong in words.
import { useEffect, useRef, useState } from "react";

const STATES = {
  idle: ["Not connected", ""],
  loading: ["Loading the client…", ""],
  connecting: ["Connecting…", "badge-warn"],
  connected: ["Connected", "badge-good"],
  reconnecting: ["Reconnecting…", "badge-warn"],
  left: ["Left the room", ""],
  failed: ["Not connected", "badge-bad"],
};

const sentence = (error, url) => {
  const name = error?.name || "";
  if (name === "NotAllowedError") return "The browser did not allow the microphone or camera. Allow it beside the address, then try again.";
  if (name === "NotFoundError") return "No microphone or camera was found on this machine.";
  if (name === "NotReadableError") return "Another program is using the microphone or camera.";
  if (error?.reason === 0 || /401|403|token|permission/i.test(error?.message || "")) return "LiveKit refused the token. It may have expired or been revoked; mint a new one.";
  if (name === "ConnectionError" || /signal|fetch|websocket/i.test(error?.message || "")) return `LiveKit does not answer at ${url}. Start it, then join again.`;
  return error?.message || "Joining failed.";
};

const initials = (text) => (text.match(/[\p{L}\p{N}]/u)?.[0] || "·").toUpperCase();

function Tile({ participant, tracks, self }) {
  const video = useRef(null);
  const audio = useRef(null);
  useEffect(() => {
    const element = video.current;
    if (!tracks.video || !element) return undefined;
    tracks.video.attach(element);
    return () => tracks.video.detach(element);
  }, [tracks.video]);
  useEffect(() => {
    const element = audio.current;
    if (!tracks.audio || self || !element) return undefined;
    tracks.audio.attach(element);
    return () => tracks.audio.detach(element);
  }, [tracks.audio, self]);
  const name = participant.name || participant.identity;
  return (
    <li className="room-tile" data-video={String(Boolean(tracks.video))} data-speaking={String(participant.isSpeaking)} data-identity={participant.identity}>
      {tracks.video ? <video ref={video} autoPlay playsInline muted /> : null}
      {self ? null : <audio ref={audio} autoPlay />}
      <span className="initials" aria-hidden="true">{initials(name)}</span>
      <span className="room-name"><bdi>{name}</bdi>{self ? " (you)" : ""}{tracks.audio ? " · microphone on" : ""}</span>
    </li>
  );
}

// A page may lose its token while somebody is in the room with it: its socket was away, Pulse was started anew, the next
// minting was refused. The visit goes on until its person leaves or another token is there.
export function JoinRoom({ url, token, room, children }) {
  const [inside, setInside] = useState(false);
  const visit = useRef(null);
  if (token || !inside) visit.current = { url, token, room };
  if (!visit.current.token) return children;
  return (
    <section className="card">
      <div className="card-head">
        <h2>Join <bdi>{visit.current.room}</bdi></h2>
      </div>
      <Visit {...visit.current} onInside={setInside} />
    </section>
  );
}

function Visit({ url, token, room: roomName, onInside }) {
  const room = useRef(null);
  // Counts up with each try and each leaving, so that what arrives late knows that nobody waits for it.
  const tries = useRef(0);
  const [state, setState] = useState("idle");
  const [trouble, setTrouble] = useState("");
  const [people, setPeople] = useState([]);
  const [sending, setSending] = useState({ microphone: false, camera: false, may: true });

  const leave = async (then) => {
    const current = room.current;
    room.current = null;
    setPeople([]);
    setSending({ microphone: false, camera: false, may: true });
    setState(then);
    await current?.disconnect();
  };

  // Another token is another visit; leaving the page leaves the room.
  useEffect(() => {
    setState("idle");
    setTrouble("");
    setPeople([]);
    return () => {
      tries.current += 1;
      room.current?.disconnect();
      room.current = null;
    };
  }, [url, token]);

  const join = async () => {
    setTrouble("");
    setState("loading");
    let joined = null;
    const mine = ++tries.current;
    try {
      const { Room, RoomEvent, Track } = await import("livekit-client");
      if (tries.current !== mine) return;
      joined = new Room({ adaptiveStream: true, dynacast: true });
      room.current = joined;
      const look = () => {
        if (room.current !== joined) return;
        const all = [joined.localParticipant, ...joined.remoteParticipants.values()];
        setPeople(all.map((participant) => {
          const of = (source) => {
            const publication = participant.getTrackPublication(source);
            return publication && !publication.isMuted ? publication.track : undefined;
          };
          return {
            participant,
            self: participant === joined.localParticipant,
            speaking: participant.isSpeaking,
            tracks: { video: of(Track.Source.Camera), audio: of(Track.Source.Microphone) },
          };
        }));
        const me = joined.localParticipant;
        setSending({ microphone: me.isMicrophoneEnabled, camera: me.isCameraEnabled, may: me.permissions?.canPublish !== false });
      };
      for (const event of [
        RoomEvent.ParticipantConnected, RoomEvent.ParticipantDisconnected, RoomEvent.TrackSubscribed, RoomEvent.TrackUnsubscribed,
        RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.LocalTrackPublished, RoomEvent.LocalTrackUnpublished,
        RoomEvent.ActiveSpeakersChanged, RoomEvent.ParticipantNameChanged, RoomEvent.ParticipantPermissionsChanged,
      ]) joined.on(event, look);
      joined.on(RoomEvent.Reconnecting, () => setState("reconnecting"));
      joined.on(RoomEvent.Reconnected, () => setState("connected"));
      let inside = false;
      joined.on(RoomEvent.Disconnected, () => {
        // A connection that never stood is told by the error of connect().
        if (room.current !== joined || !inside) return;
        setTrouble("You are no longer in the room: it was closed, you were removed, or somebody joined with the same identity.");
        leave("left");
      });
      setState("connecting");
      await joined.connect(url, token);
      if (room.current !== joined) {
        await joined.disconnect();
        return;
      }
      inside = true;
      setState("connected");
      look();
    } catch (error) {
      if (tries.current !== mine || (joined && room.current !== joined)) return;
      setTrouble(sentence(error, url));
      await leave("failed");
    }
  };

  const toggle = async (what) => {
    const me = room.current?.localParticipant;
    if (!me) return;
    setTrouble("");
    try {
      if (what === "microphone") await me.setMicrophoneEnabled(!me.isMicrophoneEnabled);
      else await me.setCameraEnabled(!me.isCameraEnabled);
      setSending({ microphone: me.isMicrophoneEnabled, camera: me.isCameraEnabled, may: true });
    } catch (error) {
      setTrouble(sentence(error, url));
    }
  };

  const inside = state === "connected" || state === "reconnecting";
  useEffect(() => {
    onInside(inside);
    return () => onInside(false);
  }, [inside]);
  const [words, tone] = STATES[state];
  return (
    <div className="room">
      <p className="row-wrap" role="status">
        <span className={`badge ${tone}`} data-room-state={state}>{words}</span>
        {inside ? <span className="small quiet">{people.length === 1 ? "Only you are here." : `${people.length} people are here.`}</span> : null}
      </p>
      {trouble ? <p className="notice notice-bad" role="alert">{trouble}</p> : null}
      {inside ? (
        <ul className="room-tiles" aria-label={`People in ${roomName}`}>
          {people.map((one) => <Tile key={one.participant.sid || one.participant.identity} {...one} />)}
        </ul>
      ) : null}
      <div className="room-buttons">
        {inside ? (
          <>
            <button type="button" className="button" aria-pressed={sending.microphone} disabled={!sending.may} onClick={() => toggle("microphone")}>
              {sending.microphone ? "Mute microphone" : "Turn on microphone"}
            </button>
            <button type="button" className="button" aria-pressed={sending.camera} disabled={!sending.may} onClick={() => toggle("camera")}>
              {sending.camera ? "Turn off camera" : "Turn on camera"}
            </button>
            <button type="button" className="button button-danger push" onClick={() => leave("left")}>Leave</button>
          </>
        ) : (
          <button type="button" className="button" disabled={state === "loading" || state === "connecting"} onClick={join}>
            {state === "left" || state === "failed" ? "Join again" : "Join the room"}
          </button>
        )}
      </div>
      {inside && !sending.may ? <p className="small quiet">This token may listen, not speak.</p> : null}
    </div>
  );
}
