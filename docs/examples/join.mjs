import { Room, RoomEvent } from "@livekit/rtc-node";

const [url, token] = process.argv.slice(2);
const room = new Room();
room.on(RoomEvent.ParticipantConnected, (person) => console.log(person.identity, "is here"));
room.on(RoomEvent.DataReceived, (data, person) =>
  console.log(person?.identity ?? "somebody", "says", new TextDecoder().decode(data)),
);
await room.connect(url, token);
console.log("joined", room.name);
const hello = new TextEncoder().encode("hello from JavaScript");
setInterval(() => room.localParticipant.publishData(hello, { reliable: true }), 2000);
