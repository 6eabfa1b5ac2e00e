#include "lib/chain/caller.h"

#include <csignal>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lib/chain/process.h"
#include "lib/chain/resident_link.h"

namespace chain {
namespace {

constexpr std::uint64_t kGraceMilliseconds = 2000;  // between SIGTERM and SIGKILL
constexpr unsigned kStepBits = 8;                   // of a frame's id: which program of the chain; the rest is the call
constexpr std::size_t kMaxSteps = 1U << kStepBits;

// The last chain that was called, kept in parts: nearly every call is of the same one.
struct Plan {
  Words words;
  std::vector<Link> links;  // into words
  bool is_sound = true;
};

std::shared_ptr<const Plan> make_plan(const Words& words) {
  auto plan = std::make_shared<Plan>();
  plan->words = words;
  for (WordsView rest = plan->words;;) {
    const Link link = first_link(rest);
    if (link.program.empty() || link.program.front().empty() || plan->links.size() == kMaxSteps) {
      plan->is_sound = false;
      break;
    }
    plan->links.push_back(link);
    if (link.rest.empty()) break;
    rest = link.rest;
  }
  return plan;
}

Outcome temporary(std::string cause) {
  Outcome outcome;
  outcome.exit_code = base::exit_row(base::Fault::Temporary).in_chain;
  outcome.cause = std::move(cause);
  return outcome;
}

// Nothing was tried at all, unless a program in front of this one has passed the message on.
Outcome unavailable(std::string cause, std::size_t step) {
  Outcome outcome = temporary(std::move(cause));
  outcome.is_unavailable = step == 0;
  return outcome;
}

// A delivery call's report is not ours to judge: read_delivery() does.
Outcome read_end(Kind kind, int exit_code, std::string report) {
  if (kind == Kind::Message || exit_code != 0) return read_outcome(exit_code, kind == Kind::Message ? std::move(report) : std::string());
  Outcome outcome;
  outcome.result = Outcome::Class::Taken;
  outcome.report = std::move(report);
  return outcome;
}

std::string seconds(std::uint64_t milliseconds) {
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + " s" : std::to_string(milliseconds) + " ms";
}

struct OpenCall {
  std::uint64_t handle;
  std::uint64_t deadline;
  std::shared_ptr<const Plan> plan;
  std::size_t step = 0;
  Call call;
  Caller::Done done;
  // Where it is: on a link, in a process, in the line for a process, or ended and about to be told.
  ResidentLink* link = nullptr;
  std::uint64_t frame_end = 0;  // on the link
  bool was_sent_again = false;
  bool waits_for_process = false;
  bool is_late = false;  // its program is being killed
  // What earlier programs of the chain have changed.
  bool has_new_message = false, has_new_envelope = false, has_new_context = false;

  [[nodiscard]] const Link& current() const { return plan->links[step]; }
  [[nodiscard]] const std::string& program() const { return current().program.front(); }
  [[nodiscard]] std::uint64_t frame_id() const { return handle << kStepBits | step; }
};

Outcome passed(OpenCall& call) {
  auto changes = std::make_shared<Answer>(Answer::pass());
  if (call.has_new_message) changes->message = std::move(call.call.message);
  if (call.has_new_envelope) changes->envelope = std::move(call.call.envelope);
  if (call.has_new_context) changes->context = std::move(call.call.context);
  Outcome outcome;
  outcome.result = Outcome::Class::Taken;
  outcome.passed = std::move(changes);
  return outcome;
}

}  // namespace

struct Caller::Internal final : ResidentLink::User {
  using Calls = std::list<OpenCall>;  // in the order of their deadlines, since all have the same limit

  net::Loop& loop;
  Limits limits;
  std::uint64_t last_handle = 0;
  std::shared_ptr<const Plan> last_plan;
  Calls calls;
  Calls late_calls;  // their programs are being killed
  std::unordered_map<std::uint64_t, Calls::iterator> by_handle;
  // One link a socket takes new calls; those that cannot any more only wait for answers.
  std::map<std::string, std::unique_ptr<ResidentLink>, std::less<>> links;
  std::list<std::unique_ptr<ResidentLink>> old_links;
  std::unordered_map<std::uint64_t, std::unique_ptr<Process>> processes;  // also of calls that were cancelled
  std::deque<std::uint64_t> line;                                         // for a process; calls that ended are skipped
  struct End {
    std::uint64_t handle;
    Done done;
    Outcome outcome;
  };
  std::deque<End> ends;
  net::Timer soon;
  net::Timer deadline;
  bool deadline_is_set = false;
  std::vector<char> buffer = std::vector<char>(kReadOctets);
  std::shared_ptr<Internal*> self = std::make_shared<Internal*>(this);  // for what the loop keeps longer than us

  static constexpr std::size_t kReadOctets = 131072;

  Internal(net::Loop& the_loop, const Limits& the_limits);

  std::uint64_t open(const Words& words, Call call, Done done);
  void flush();
  void start(OpenCall& call);
  void send(OpenCall& call);
  void spawn(OpenCall& call);
  void next_in_line();
  void on_process_end(std::uint64_t handle, ProcessEnd end);
  void finish(OpenCall& call, Outcome outcome);
  void finish_because(OpenCall& call, const std::string& cause) { finish(call, temporary(call.program() + ": " + cause)); }
  void forget(Calls::iterator call);
  void tell_ends();
  void set_deadline();
  void on_deadline();

  std::span<char> read_buffer() override { return buffer; }
  void on_answer(ResidentLink& link, AnswerFrame frame, std::optional<base::Blob> message) override;
  void on_closed_for_calls(ResidentLink& link) override;
  void on_end(ResidentLink& link, const std::string& cause) override;
  std::vector<OpenCall*> calls_of(const ResidentLink& link);
  void send_again(ResidentLink& link);
};

Caller::Internal::Internal(net::Loop& the_loop, const Limits& the_limits)
    : loop(the_loop), limits(the_limits), soon(loop, [this] { tell_ends(); }), deadline(loop, [this] { on_deadline(); }) {
  // With SIGCHLD ignored the kernel would throw the exit codes away.
  struct sigaction current = {};
  if (::sigaction(SIGCHLD, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
  loop.after_io([weak = std::weak_ptr<Internal*>(self)] {
    if (const auto alive = weak.lock()) (*alive)->tell_ends();
    if (const auto alive = weak.lock()) (*alive)->flush();
  });
}

// A link that turns out to be closed is replaced by another one in its place, with the calls that did not leave.
void Caller::Internal::flush() {
  for (auto& [name, link] : links)
    while (link && link->wants_flush()) link->flush();
}

std::uint64_t Caller::Internal::open(const Words& words, Call call, Done done) {
  if (!last_plan || last_plan->words != words) last_plan = make_plan(words);
  const auto handle = ++last_handle;
  calls.push_back({handle, loop.now_milliseconds() + limits.timeout_milliseconds, last_plan, 0, std::move(call), std::move(done)});
  by_handle.emplace(handle, std::prev(calls.end()));
  OpenCall& opened = calls.back();
  if (!deadline_is_set) set_deadline();
  if (opened.plan->is_sound) {
    start(opened);
  } else {
    finish(opened, temporary("malformed chain: a program is missing"));
  }
  if (!ends.empty()) soon.start(0);  // there may be nothing else that makes the loop turn
  return handle;
}

void Caller::Internal::start(OpenCall& call) {
  if (is_resident(call.program())) {
    send(call);
  } else if (processes.size() < limits.processes) {
    spawn(call);
  } else {
    call.waits_for_process = true;
    line.push_back(call.handle);
  }
}

// ---- resident programs --------------------------------------------------------------------------------------------

void Caller::Internal::send(OpenCall& call) {
  const std::string& name = call.program();
  auto& link = links[name];
  if (!link) {
    auto connected = ResidentLink::connect(loop, name, *this);
    if (!connected) return finish(call, unavailable(connected.error().cause, call.step));
    link = std::move(*connected);
  }
  call.link = link.get();
  const auto sent = link->put(call.frame_id(), call.call, limits.inline_octets, call.current());
  if (!sent) return finish_because(call, sent.error().cause);
  call.frame_end = *sent;
}

void Caller::Internal::on_answer(ResidentLink& link, AnswerFrame frame, std::optional<base::Blob> message) {
  const auto found = by_handle.find(frame.id >> kStepBits);
  // Of a call that was cancelled, or came too late: nobody waits for it.
  if (found == by_handle.end()) return;
  OpenCall& call = *found->second;
  if (call.link != &link || call.frame_id() != frame.id) return;
  call.link = nullptr;
  Answer& answer = frame.answer;
  if (!answer.passes) {
    Outcome outcome = read_end(call.call.kind, answer.exit_code, std::move(answer.report));
    if (!outcome.cause.empty()) outcome.cause.insert(0, call.program() + ": ");
    return finish(call, std::move(outcome));
  }
  const bool is_end = call.current().rest.empty();
  if (is_end && !limits.takes_passes) return finish_because(call, "passes the message on, but nothing follows in the chain");
  if (message) call.call.message = std::move(*message), call.has_new_message = true;
  if (answer.envelope) call.call.envelope = std::move(*answer.envelope), call.has_new_envelope = true;
  if (answer.context) call.call.context = std::move(*answer.context), call.has_new_context = true;
  if (is_end) return finish(call, passed(call));
  ++call.step;
  call.was_sent_again = false;
  start(call);
}

std::vector<OpenCall*> Caller::Internal::calls_of(const ResidentLink& link) {
  std::vector<OpenCall*> found;  // none of late_calls is on a link
  for (auto& call : calls)
    if (call.link == &link) found.push_back(&call);
  return found;
}

// Calls that never left may go to a new connection, once. One that left may have been carried out: it is not repeated.
void Caller::Internal::send_again(ResidentLink& link) {
  for (auto* call : calls_of(link)) {
    if (call->frame_end <= link.sent_octets()) continue;
    call->link = nullptr;
    if (std::exchange(call->was_sent_again, true)) {
      finish(*call, unavailable(call->program() + ": closes its connections", call->step));
    } else {
      send(*call);
    }
  }
}

void Caller::Internal::on_closed_for_calls(ResidentLink& link) {
  for (auto& [path, current] : links) {
    if (current.get() != &link) continue;
    old_links.push_back(std::move(current));
    break;
  }
  send_again(link);
}

void Caller::Internal::on_end(ResidentLink& link, const std::string& cause) {
  on_closed_for_calls(link);
  for (auto* call : calls_of(link)) {
    call->link = nullptr;
    finish_because(*call, cause);
  }
  std::erase_if(old_links, [&](const auto& old) { return old.get() == &link; });
}

// ---- exec'd programs ----------------------------------------------------------------------------------------------

void Caller::Internal::spawn(OpenCall& call) {
  const Link& link = call.current();
  // argv is the program with all that follows it: it execs the rest itself.
  const WordsView all(link.program.data(), static_cast<std::size_t>(call.plan->words.data() + call.plan->words.size() - link.program.data()));
  auto process = Process::start(loop, all, call.call, [this, handle = call.handle](ProcessEnd end) { on_process_end(handle, std::move(end)); });
  if (!process) return finish(call, unavailable(call.program() + ": " + process.error().cause, call.step));
  processes.emplace(call.handle, std::move(*process));
}

void Caller::Internal::next_in_line() {
  while (!line.empty() && processes.size() < limits.processes) {
    const auto found = by_handle.find(line.front());
    line.pop_front();
    if (found == by_handle.end()) continue;
    found->second->waits_for_process = false;
    spawn(*found->second);
  }
}

void Caller::Internal::on_process_end(std::uint64_t handle, ProcessEnd end) {
  processes.erase(handle);
  if (const auto found = by_handle.find(handle); found != by_handle.end()) {
    OpenCall& call = *found->second;
    // A program that came to its own end after all, late, has said what became of the message: that holds.
    if (end.signal != 0) {
      const std::string killer = std::to_string(end.signal) + " (" + ::strsignal(end.signal) + ")";
      finish_because(call, call.is_late ? "no end within " + seconds(limits.timeout_milliseconds) + ", killed" : "killed by signal " + killer);
    } else {
      Outcome outcome = read_end(call.call.kind, end.exit_code, std::move(end.report));
      if (call.is_late && !outcome.cause.empty()) outcome.cause += ", after its time limit of " + seconds(limits.timeout_milliseconds);
      if (!outcome.cause.empty()) outcome.cause.insert(0, call.program() + ": ");
      finish(call, std::move(outcome));
    }
  }
  next_in_line();
}

// ---- the end of calls ---------------------------------------------------------------------------------------------

void Caller::Internal::finish(OpenCall& call, Outcome outcome) {
  ends.push_back({call.handle, std::move(call.done), std::move(outcome)});
  forget(by_handle.at(call.handle));
}

void Caller::Internal::forget(Calls::iterator call) {
  by_handle.erase(call->handle);
  (call->is_late ? late_calls : calls).erase(call);
  if (calls.empty() && deadline_is_set) {
    deadline.stop();  // it would keep the loop running for nothing
    deadline_is_set = false;
  }
}

void Caller::Internal::tell_ends() {
  const std::weak_ptr<Internal*> alive = self;
  // Those that come to their end meanwhile have the next turn.
  for (auto count = ends.size(); count > 0 && !ends.empty(); --count) {
    End end = std::move(ends.front());
    ends.pop_front();
    end.done(std::move(end.outcome));
    if (alive.expired()) return;
  }
}

void Caller::Internal::set_deadline() {
  deadline_is_set = !calls.empty();
  if (!deadline_is_set) return;
  const auto now = loop.now_milliseconds();
  const auto first = calls.front().deadline;
  deadline.start(first > now ? first - now : 0);
}

void Caller::Internal::on_deadline() {
  while (!calls.empty() && calls.front().deadline <= loop.now_milliseconds()) {
    OpenCall& call = calls.front();
    const std::string limit = seconds(limits.timeout_milliseconds);
    if (const auto process = processes.find(call.handle); process != processes.end()) {
      call.is_late = true;
      late_calls.splice(late_calls.end(), calls, calls.begin());
      process->second->kill(kGraceMilliseconds);
    } else if (call.waits_for_process) {
      const std::string cause = call.program() + ": not started within " + limit + ": " + std::to_string(limits.processes) + " programs run already";
      finish(call, unavailable(cause, call.step));
    } else {
      finish_because(call, "no answer within " + limit);
    }
  }
  set_deadline();
}

// ---- what others see ----------------------------------------------------------------------------------------------

Caller::Caller(net::Loop& loop, const Limits& limits) : internal_(std::make_unique<Internal>(loop, limits)) {}
Caller::~Caller() = default;

std::uint64_t Caller::call(const Words& words, Call call, Done done) { return internal_->open(words, std::move(call), std::move(done)); }

void Caller::cancel(std::uint64_t handle, bool kill_program) {
  Internal& own = *internal_;
  std::erase_if(own.ends, [&](const auto& end) { return end.handle == handle; });
  if (kill_program)
    if (const auto process = own.processes.find(handle); process != own.processes.end()) process->second->kill(kGraceMilliseconds);
  if (const auto found = own.by_handle.find(handle); found != own.by_handle.end()) own.forget(found->second);
}

Outcome call_and_wait(const Words& words, Call call, const Caller::Limits& limits) {
  net::Loop loop;
  Caller caller(loop, limits);
  Outcome result;
  caller.call(words, std::move(call), [&](Outcome outcome) {
    result = std::move(outcome);
    loop.stop();
  });
  loop.run();
  return result;
}

}  // namespace chain
