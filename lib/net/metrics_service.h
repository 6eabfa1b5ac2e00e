// Gives metrics to who asks on a socket, and writes them to a file: without a loop of its own, and without ever waiting for somebody.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace net {

class MetricsService {
 public:
  using Text = std::function<std::string()>;
  // `setting`: where the places stand, for errors. `places`: "unix:PATH" or "ADDRESS:PORT", where HTTP and plain connections are answered, or "file:PATH".
  [[nodiscard]] static base::Result<MetricsService> make(std::string_view setting, const std::vector<std::string>& places, Text text);

  void add_watched(std::vector<pollfd>& watched) const;
  void on_watched(const std::vector<pollfd>& watched);
  void each_second();

 private:
  struct Client {
    base::UniqueFd socket;
    std::string heard, answer;
    bool is_answered = false;
    std::uint64_t ends = 0;  // when it has had its time
  };
  void accept(int listener);
  void hear(Client& client);
  void answer(Client& client, bool is_http);
  void write_files();

  Text text_;
  std::vector<base::UniqueFd> listeners_;
  std::vector<Client> clients_;
  std::vector<std::string> files_;
  std::uint64_t next_files_ = 0;
};

}  // namespace net
