#include "lib/chain/frame_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

namespace chain {
namespace {

// Linux takes 253 in one sendmsg (SCM_MAX_FD).
constexpr std::size_t kDescriptorsAtOnce = 64;
constexpr std::size_t kDescriptorsReceived = 253;
constexpr std::size_t kIdleOctets = 262144;  // what a connection may keep when all is sent

// A control message with this many descriptors, aligned as CMSG_DATA wants it.
template <std::size_t Count>
union Control {
  cmsghdr align;
  char octets[CMSG_SPACE(sizeof(int) * Count)];
};

}  // namespace

base::Result<base::Blob> for_travel(const base::Blob& message, std::size_t inline_octets) {
  const bool is_small = message.size() <= inline_octets;
  if (message.is_in_memory() == is_small) return message;
  if (is_small) {
    auto octets = base::pread_text(message.file(), message.size(), message.offset());
    if (!octets) return std::unexpected(octets.error());
    return base::Blob::of_octets(std::move(*octets));
  }
  auto file = message.as_descriptor();
  if (!file) return std::unexpected(file.error());
  return base::Blob::of_file(std::move(*file), 0, message.size());
}

std::uint64_t FrameSocket::put_call(std::uint64_t id, const Call& call, WordsView arguments, WordsView next) {
  put_descriptor(call.message);
  append_call(out_, id, call, call.message, arguments, next);
  return end_of_out();
}

std::uint64_t FrameSocket::put_answer(std::uint64_t id, const Answer& answer) {
  if (answer.passes && answer.message) put_descriptor(*answer.message);
  append_answer(out_, id, answer);
  return end_of_out();
}

void FrameSocket::put_descriptor(const base::Blob& message) {
  if (!message.is_in_memory()) attached_.push_back({end_of_out(), message});
}

// Descriptors go with the first octet of one sendmsg. Frames follow their descriptors, in order, so it does not matter
// that those of several frames go together, before their frames have left.
base::Result<std::size_t> FrameSocket::send_some() {
  std::size_t end = out_.size();
  std::array<int, kDescriptorsAtOnce> files;
  std::size_t count = 0;
  for (const auto& attached : attached_) {
    if (count == files.size()) {
      end = attached.frame_start - before_out_;
      break;
    }
    files[count++] = attached.file.file();
  }
  iovec piece = {out_.data() + sent_, end - sent_};
  Control<kDescriptorsAtOnce> control;
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.octets;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(head), files.data(), sizeof(int) * count);
  }
  ssize_t n;
  do n = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  // ETOOMANYREFS: so many descriptors of this user are under way that the kernel wants some of them received first.
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS)) return 0;
  if (n < 0) return base::fail_errno("send");
  attached_.erase(attached_.begin(), attached_.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<std::size_t>(n);
}

base::Result<void> FrameSocket::send() {
  while (has_unsent()) {
    const auto n = send_some();
    if (!n) return std::unexpected(n.error());
    if (*n == 0) break;
    sent_ += *n;
  }
  const bool is_half_sent = sent_ > kIdleOctets && sent_ > out_.size() / 2;
  if (has_unsent() && !is_half_sent) return {};
  before_out_ += sent_;
  if (!has_unsent() && out_.capacity() > kIdleOctets) {
    out_ = std::string();
  } else {
    out_.erase(0, sent_);
  }
  sent_ = 0;
  return {};
}

base::Result<FrameSocket::Received> FrameSocket::receive(std::span<char> buffer) {
  iovec piece = {buffer.data(), buffer.size()};
  Control<kDescriptorsReceived> control;
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.octets;
  message.msg_controllen = sizeof control.octets;
  ssize_t n;
  do n = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Received::Nothing;
  if (n < 0) return base::fail_errno("receive");
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= head->cmsg_len; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(head) + at, sizeof fd);
      received_.emplace_back(fd);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) return base::fail(base::Fault::Temporary, "receive: descriptors were lost (limit of open files?)");
  filled_buffer_ = static_cast<std::size_t>(n) == buffer.size();
  if (n == 0) return Received::End;
  input_ = {buffer.data(), static_cast<std::size_t>(n)};
  return Received::Some;
}

void FrameSocket::keep_rest() {
  splitter_.keep(input_);
  input_ = {};
}

base::Result<base::Blob> FrameSocket::message_of(const FramedMessage& framed) {
  if (!framed.is_descriptor) return base::Blob::of_octets(std::string(framed.octets));
  if (received_.empty()) return base::fail(base::Fault::Temporary, "bad frame: its descriptor is missing");
  base::UniqueFd file = std::move(received_.front());
  received_.pop_front();
  const auto size = base::file_size(file.get());
  if (!size) return base::fail_within("descriptor of a message", size.error());
  if (framed.offset > *size || framed.length > *size - framed.offset)
    return base::fail(base::Fault::Temporary, "bad frame: its message is longer than the file");
  return base::Blob::of_file(std::move(file), framed.offset, framed.length);
}

// Between two reads as many as one sendmsg carries may be ahead of their frames.
bool FrameSocket::has_sound_descriptors() const { return received_.size() <= kDescriptorsReceived; }

}  // namespace chain
