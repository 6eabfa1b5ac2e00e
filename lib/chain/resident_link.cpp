#include "lib/chain/resident_link.h"

#include <sys/socket.h>

#include "lib/net/socket.h"

namespace chain {
namespace {

constexpr std::size_t kAnswerOctets = 64 << 20;  // a larger frame is garbage
constexpr int kReadsAtOnce = 4;                  // then others have their turn

}  // namespace

base::Result<std::unique_ptr<ResidentLink>> ResidentLink::connect(net::Loop& loop, const std::string& name, User& user) {
  const auto address = net::Address::parse(name);
  if (!address) return std::unexpected(address.error());
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return base::fail_errno(name + ": socket");
  if (::connect(socket.get(), address->system(), address->length()) != 0) return base::fail_errno(name + ": connect");
  return std::unique_ptr<ResidentLink>(new ResidentLink(loop, std::move(socket), user));
}

ResidentLink::ResidentLink(net::Loop& loop, base::UniqueFd socket, User& user)
    : user_(user), socket_(std::move(socket), kAnswerOctets), watch_(loop, socket_.descriptor(), [this](unsigned ready) { on_ready(ready); }) {
  watch_.want(net::Watch::Readable);
  watch_.hold_loop(false);  // the time limits of open calls do
}

base::Result<std::uint64_t> ResidentLink::put(std::uint64_t id, Call& call, std::size_t inline_octets, const Link& program) {
  auto message = for_travel(call.message, inline_octets);
  if (!message) return std::unexpected(message.error());
  call.message = std::move(*message);
  return socket_.put_call(id, call, program.program.subspan(1), program.rest);
}

void ResidentLink::flush() {
  if (is_closed_for_calls_) return;
  const auto sent = socket_.send();
  if (!sent) {
    is_closed_for_calls_ = true;
    is_full_ = false;
    watch_.want(net::Watch::Readable);
    return user_.on_closed_for_calls(*this);
  }
  is_full_ = socket_.has_unsent();
  watch_.want(is_full_ ? net::Watch::Readable | net::Watch::Writable : net::Watch::Readable);
}

void ResidentLink::on_ready(unsigned ready) {
  if ((ready & net::Watch::Writable) != 0) flush();
  if ((ready & net::Watch::Readable) == 0) return;
  const auto sound = read();
  if (!sound) user_.on_end(*this, sound.error().cause);
}

base::Result<void> ResidentLink::read() {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const auto buffer = user_.read_buffer();
    const auto received = socket_.receive(buffer);
    if (!received) return std::unexpected(received.error());
    if (*received == FrameSocket::Received::Nothing) return {};
    if (*received == FrameSocket::Received::End) return base::fail(base::Fault::Temporary, "ended the connection without an answer");
    if (const auto sound = take_frames(); !sound) return sound;
    if (!socket_.filled_buffer()) return {};
  }
  return {};
}

base::Result<void> ResidentLink::take_frames() {
  for (;;) {
    std::string_view body;
    switch (socket_.next_frame(body)) {
      case FrameSplitter::Status::NeedMore:
        if (!socket_.has_sound_descriptors()) return base::fail(base::Fault::Temporary, "sends descriptors that belong to nothing");
        return {};
      case FrameSplitter::Status::TooLong: return base::fail(base::Fault::Temporary, "bad frame: impossible length");
      case FrameSplitter::Status::Frame: break;
    }
    auto frame = parse_answer(body);
    if (!frame) return std::unexpected(frame.error());
    std::optional<base::Blob> message;
    if (frame->message) {
      auto blob = socket_.message_of(*frame->message);
      if (!blob) return std::unexpected(blob.error());
      message = std::move(*blob);
    }
    user_.on_answer(*this, std::move(*frame), std::move(message));
  }
}

}  // namespace chain
