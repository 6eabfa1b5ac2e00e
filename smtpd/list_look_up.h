// Asks lists of addresses in DNS about clients: all lists together, the answers kept for a while. Never waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/net/dns.h"
#include "lib/net/loop.h"
#include "smtpd/dns_lists.h"

namespace smtpd {

class ListLookUp {
 public:
  using Done = std::function<void(const DnsListFindings&)>;

  // Costs nothing before the first client. `dns` has the time limit for each question: what is not answered then, or cannot be, counts
  // as nothing.
  ListLookUp(net::Loop& loop, net::dns::Settings dns);
  ListLookUp(const ListLookUp&) = delete;
  ~ListLookUp();

  // `done` is called later from the loop, never from inside look_up(). Returns a handle for cancel().
  std::uint64_t look_up(std::shared_ptr<const DnsLists> lists, const net::Address& client, Done done);
  void cancel(std::uint64_t handle);

 private:
  struct Question;
  void ask(Question& question);
  void take(std::uint64_t handle, std::size_t zone, const net::dns::Answer& answer);
  void judge(Question& question);
  void take_text(std::uint64_t handle, const net::dns::Answer& answer);
  void end(Question& question);
  void answer_known();
  void remember(const Question& question);

  struct Known {
    DnsListFindings findings;
    std::uint64_t until;
  };
  net::Loop& loop_;
  net::dns::Resolver resolver_;
  net::Timer timer_;  // for those whose answer is known already
  std::map<std::uint64_t, std::unique_ptr<Question>> open_;
  std::vector<std::uint64_t> ready_;
  std::shared_ptr<const DnsLists> known_of_;  // the lists whose findings are kept
  std::unordered_map<std::string, Known> known_;  // by address
  std::uint64_t last_handle_ = 0;
};

}  // namespace smtpd
