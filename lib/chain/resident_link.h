// The caller's end of a connection to a resident program: calls go out, answers come in, in any order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/chain/frame_socket.h"
#include "lib/net/loop.h"

namespace chain {

class ResidentLink {
 public:
  // Whom a link reports to. Outlives it.
  class User {
   public:
    virtual std::span<char> read_buffer() = 0;
    virtual void on_answer(ResidentLink& link, AnswerFrame frame, std::optional<base::Blob> message) = 0;
    // The program takes nothing more on this connection; answers to what it took may still come. Calls whose end is
    // behind sent_octets() were not taken.
    virtual void on_closed_for_calls(ResidentLink& link) = 0;
    // It is over. The link may be destroyed here, and only here.
    virtual void on_end(ResidentLink& link, const std::string& cause) = 0;

   protected:
    ~User() = default;
  };

  // `name` is "unix:SOCKET". Unix sockets connect at once or not at all.
  [[nodiscard]] static base::Result<std::unique_ptr<ResidentLink>> connect(net::Loop& loop, const std::string& name, User& user);

  // The stream's octets up to the end of this call's frame. Nothing is sent before flush(). Messages up to `inline_octets`
  // travel in the frame: one in a file is read, and the call has it in memory then, for the programs behind this one. An error is about
  // this message alone.
  [[nodiscard]] base::Result<std::uint64_t> put(std::uint64_t id, Call& call, std::size_t inline_octets, const Link& program);
  // Whether flush() has something to do; not while the socket is full.
  [[nodiscard]] bool wants_flush() const { return !is_closed_for_calls_ && !is_full_ && socket_.has_unsent(); }
  void flush();
  [[nodiscard]] std::uint64_t sent_octets() const { return socket_.sent_octets(); }

 private:
  ResidentLink(net::Loop& loop, base::UniqueFd socket, User& user);
  void on_ready(unsigned ready);
  // The reason why this connection cannot be read on.
  [[nodiscard]] base::Result<void> read();
  [[nodiscard]] base::Result<void> take_frames();

  User& user_;
  FrameSocket socket_;
  bool is_closed_for_calls_ = false;
  bool is_full_ = false;
  net::Watch watch_;
};

}  // namespace chain
