// What a team would write on Node: Express with LiveKit's own library, without credentials, limits or counts.
import express from 'express';
import { AccessToken } from 'livekit-server-sdk';

const app = express();
app.use(express.json());
app.get('/', (asked, answer) => answer.json({}));
app.post('/v1/tokens/create', async (asked, answer) => {
  const token = new AccessToken('benchkey', 'a-secret-that-only-the-bench-knows-of', { identity: asked.body.identity });
  token.addGrant({ roomJoin: true, room: asked.body.room });
  answer.json({ token: await token.toJwt() });
});
app.listen(Number(process.env.PORT), '127.0.0.1');
