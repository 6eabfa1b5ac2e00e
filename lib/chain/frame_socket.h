// Frames over a Unix stream socket, both directions: many frames a system call, and the descriptors that belong to them.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/blob.h"
#include "lib/base/unique_fd.h"
#include "lib/chain/frame.h"

namespace chain {

// Small messages travel in the frame whatever they lie in, larger ones as a descriptor.
[[nodiscard]] base::Result<base::Blob> for_travel(const base::Blob& message, std::size_t inline_octets);

class FrameSocket {
 public:
  // `socket` is non-blocking.
  FrameSocket(base::UniqueFd socket, std::size_t frame_limit_octets) : socket_(std::move(socket)), splitter_(frame_limit_octets) {}

  [[nodiscard]] int descriptor() const { return socket_.get(); }

  // ---- out: composed frames wait until send(). The results are the stream's octets up to the end of this frame.
  std::uint64_t put_call(std::uint64_t id, const Call& call, WordsView arguments, WordsView next);
  std::uint64_t put_answer(std::uint64_t id, const Answer& answer);
  // What is no frame: a reply of policy.h.
  void put_text(std::string_view text) { out_ += text; }
  // Sends what the socket takes. An error: nothing can be sent on it any more.
  [[nodiscard]] base::Result<void> send();
  [[nodiscard]] bool has_unsent() const { return sent_ < out_.size(); }
  [[nodiscard]] std::uint64_t sent_octets() const { return before_out_ + sent_; }

  // ---- in: receive() reads once, then next_frame() until it says NeedMore.
  enum class Received { Some, Nothing, End };
  [[nodiscard]] base::Result<Received> receive(std::span<char> buffer);
  // There may be more to read at once.
  [[nodiscard]] bool filled_buffer() const { return filled_buffer_; }
  // `body` is valid until the next call, while what receive() filled is untouched.
  [[nodiscard]] FrameSplitter::Status next_frame(std::string_view& body) { return splitter_.next(input_, body); }
  // What receive() has read and no frame was made of.
  [[nodiscard]] std::string_view input() const { return input_; }
  [[nodiscard]] std::string_view take_input() { return std::exchange(input_, {}); }
  // The frames that are left are for later; the buffer of receive() may be used for others meanwhile.
  void keep_rest();
  // The message of the frame that next_frame() just gave: its octets, or the next descriptor that came, checked.
  [[nodiscard]] base::Result<base::Blob> message_of(const FramedMessage& framed);
  // False: the peer sends descriptors that belong to nothing.
  [[nodiscard]] bool has_sound_descriptors() const;

 private:
  struct Attached {
    std::uint64_t frame_start;  // in octets of the stream
    base::Blob file;
  };
  std::uint64_t end_of_out() const { return before_out_ + out_.size(); }
  void put_descriptor(const base::Blob& message);
  [[nodiscard]] base::Result<std::size_t> send_some();

  base::UniqueFd socket_;
  std::string out_;
  std::size_t sent_ = 0;           // of out_
  std::uint64_t before_out_ = 0;   // octets of the stream that are not in out_ any more
  std::deque<Attached> attached_;  // not yet sent
  FrameSplitter splitter_;
  std::string_view input_;
  bool filled_buffer_ = false;
  std::deque<base::UniqueFd> received_;
};

}  // namespace chain
