// What functions of the API act on: behind Run::host().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/settings.h"
#include "lib/mail/domain_list.h"
#include "lib/net/dns.h"
#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/transaction/stage.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// The log of the rules: log(), print(), debug(), and what goes wrong in directives.
enum class LogLevel : std::uint8_t { Trace, Debug, Info, Warn, Error };
std::string_view name_of(LogLevel level);
std::optional<LogLevel> log_level_of(std::string_view name);  // in any case; "warning" too
using Log = std::function<void(LogLevel level, std::string_view text)>;

// Whose rules this thread runs, for their lines in the log: as long as it lives, and `id` longer.
class LogSubject {
 public:
  explicit LogSubject(std::string_view id) : before_(std::exchange(current_, id)) {}
  ~LogSubject() { current_ = before_; }
  LogSubject(const LogSubject&) = delete;
  LogSubject& operator=(const LogSubject&) = delete;
  [[nodiscard]] static std::string_view current() { return current_; }  // "": nobody's

 private:
  static thread_local constinit std::string_view current_;
  std::string_view before_;
};

// What a rule that fails does to a client's command (D-15).
enum class OnError : std::uint8_t { Deny, TempFail, Next };

// The server whose rules run: the same for all runs of a rule set, and for all threads.
struct Site {
  base::Settings settings;
  std::string host_name;
  std::string domain;            // server.domain, else the host name
  mail::DomainList own_domains;  // domain, the local ones and the virtual ones
  std::string app_directory;     // write(), dump()
  std::string state_directory;   // what rules of several processes share: rate counters, greylists
  OnError on_error = OnError::Deny;
  bool deny_closes = true;
  bool tells_assignments = false;  // of directives, to who traces them
  bool is_trial = false;         // rules are tried on saved messages: nothing is sent
  Log log;                       // may be called by many threads at once
  bool logs_debug = true;        // false: it throws away what is less than information
  std::function<base::WallTime()> now = base::wall_now;
  std::shared_ptr<Facilities> facilities = std::make_shared<Facilities>();
  // What authentication asks DNS by; empty: the resolver of the facilities.
  std::function<net::dns::Answer(const std::string& name, net::dns::Type type)> look_up;

  // What settings say about all of these.
  [[nodiscard]] static Site of(base::Settings settings, Log log);
};

// ctx.run() of v3: directives that a hook runs within its stage.
class InnerRules {
 public:
  virtual ~InnerRules() = default;
  // An array of directives: the status of the first that decides, next() if none does, () if there are none.
  virtual vsl::Result run_directives(const vsl::Value& directives) = 0;
};

// One stage of one transaction.
struct Scene {
  const Site& site;
  Session* session = nullptr;  // null while a rule set is being loaded
  Stage stage = Stage::Connect;
  InnerRules* inner_rules = nullptr;  // where a hook may run directives
};

// print() and debug() go to the rules' log (D-19).
vsl::Sinks sinks_of(const Site& site);

inline Scene& scene_of(vsl::Run& run) { return run.host<Scene>(); }

// For functions that need a session: fails while a rule set is being loaded. `name` is the function's.
vsl::Expected<Session*> session_at(vsl::Run& run, std::string_view name);
// For those that need something that a stage brings: "the field: `helo` is not defined yet, it only is available from the `helo` stage".
vsl::Expected<Session*> session_at(vsl::Run& run, Stage earliest, std::string_view name);
// For recipients: those that are added in connect and helo join each transaction at its first RCPT (3.15 [a]); a client that logs in
// has none.
vsl::Expected<Session*> session_for_recipients(vsl::Run& run);
// The transaction, from mail on.
vsl::Expected<Transaction*> transaction_at(vsl::Run& run, Stage earliest, std::string_view name);
// The message, from preq on.
vsl::Expected<Message*> message_at(vsl::Run& run, std::string_view name);
std::unexpected<vsl::Failure> too_early(std::string_view name, Stage earliest);

// An error of the transaction as one that scripts catch.
inline std::unexpected<vsl::Failure> fail_with(const base::Error& error) { return vsl::fail_api(error.cause); }
// An error that goes on up.
template <class T>
std::unexpected<vsl::Failure> pass_on(vsl::Expected<T>& failed) {
  return std::unexpected(std::move(failed.error()));
}
// () or the error.
inline vsl::Result done(const base::Result<void>& result) {
  if (!result) return fail_with(result.error());
  return vsl::Value();
}

}  // namespace rules
