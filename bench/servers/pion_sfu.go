// pion_sfu PORT HOST: a forwarding server on Pion.
package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc"
)

type asked struct {
	Room, User, Sdp string
	Speaks          bool
}

// What one person is in a room: where the voice goes, and the slots that carry nobody yet.
type somebody struct {
	connection *webrtc.PeerConnection
	speaks     bool
	free       []*webrtc.TrackLocalStaticRTP
	lock       sync.RWMutex
	routes     []*webrtc.TrackLocalStaticRTP
}

type server struct {
	api   *webrtc.API
	lock  sync.Mutex
	rooms map[string]map[string]*somebody
}

// One speaker's packets go to one slot of one listener.
func connect(speaker, listener *somebody) {
	if !speaker.speaks || len(listener.free) == 0 {
		return
	}
	speaker.lock.Lock()
	defer speaker.lock.Unlock()
	speaker.routes = append(speaker.routes, listener.free[0])
	listener.free = listener.free[1:]
}

func (who *somebody) forward(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		who.lock.RLock()
		routes := who.routes
		who.lock.RUnlock()
		for _, slot := range routes {
			_ = slot.WriteRTP(packet) // a listener who has gone hurts nobody else
		}
	}
}

func (s *server) enter(in asked) (interface{}, error) {
	connection, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	newcomer := &somebody{connection: connection, speaks: in.Speaks}
	connection.OnTrack(newcomer.forward)
	offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: in.Sdp}
	parsed, err := offer.Unmarshal()
	if err != nil {
		return nil, err
	}
	for range parsed.MediaDescriptions[1:] {
		opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}
		slot, err := webrtc.NewTrackLocalStaticRTP(opus, "audio", "slot")
		if err != nil {
			return nil, err
		}
		sender, err := connection.AddTrack(slot)
		if err != nil {
			return nil, err
		}
		go func() { // RTCP has to be read, or the interceptors see none
			buffer := make([]byte, 1500)
			for {
				if _, _, err := sender.Read(buffer); err != nil {
					return
				}
			}
		}()
		newcomer.free = append(newcomer.free, slot)
	}
	if err := connection.SetRemoteDescription(offer); err != nil {
		return nil, err
	}
	answer, err := connection.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err := connection.SetLocalDescription(answer); err != nil {
		return nil, err
	}
	<-gathered
	room := s.rooms[in.Room]
	if room == nil {
		room = map[string]*somebody{}
		s.rooms[in.Room] = room
	}
	for _, other := range room {
		connect(other, newcomer)
		connect(newcomer, other)
	}
	room[in.User] = newcomer
	return map[string]string{"sdp": connection.LocalDescription().SDP}, nil
}

func (s *server) leave(in asked) (interface{}, error) {
	who := s.rooms[in.Room][in.User]
	delete(s.rooms[in.Room], in.User)
	return struct{}{}, who.connection.Close()
}

func (s *server) handle(do func(asked) (interface{}, error)) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		var in asked
		err := json.NewDecoder(request.Body).Decode(&in)
		var out interface{}
		if err == nil {
			s.lock.Lock()
			out, err = do(in)
			s.lock.Unlock()
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(response).Encode(out)
	}
}

func main() {
	media, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		log.Fatal(err)
	}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		log.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIPFilter(func(address net.IP) bool { return address.String() == os.Args[2] })
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	s := &server{api: api, rooms: map[string]map[string]*somebody{}}
	http.HandleFunc("/enter", s.handle(s.enter))
	http.HandleFunc("/leave", s.handle(s.leave))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
