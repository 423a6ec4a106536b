// What a team would write in Go: net/http with LiveKit's own package, without credentials, limits or counts.
package main

import (
	"encoding/json"
	"net/http"
	"os"

	"github.com/livekit/protocol/auth"
)

type asked struct {
	Room     string `json:"room"`
	Identity string `json:"identity"`
}

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) { _, _ = answer.Write([]byte("{}")) })
	http.HandleFunc("POST /v1/tokens/create", func(answer http.ResponseWriter, request *http.Request) {
		var body asked
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		token := auth.NewAccessToken("benchkey", "a-secret-that-only-the-bench-knows-of").
			SetIdentity(body.Identity).
			SetVideoGrant(&auth.VideoGrant{RoomJoin: true, Room: body.Room})
		signed, err := token.ToJWT()
		if err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(answer).Encode(map[string]string{"token": signed})
	})
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		panic(err)
	}
}
