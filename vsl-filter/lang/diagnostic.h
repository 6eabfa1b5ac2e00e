// What is wrong with a script, where, and what would be right; collected so that all of it can be said at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/source.h"

namespace vsl {

enum class Severity { Error, Warning, Note };

// A second place that explains the first: "first declared here".
struct Note {
  Span span;
  std::string message;
};

struct Diagnostic {
  Severity severity = Severity::Error;
  Span span;
  std::string message;
  std::string help;  // what would be right; may be empty
  std::vector<Note> notes;

  Diagnostic& with_help(std::string text) { return help = std::move(text), *this; }
  Diagnostic& with_note(Span where, std::string text) { return notes.push_back({where, std::move(text)}), *this; }
};

class Diagnostics {
 public:
  // After so many, further ones are counted and dropped.
  static constexpr std::size_t kMostKept = 100;

  // The reference is good until the next call; past kMostKept it is to a place that nobody reads.
  Diagnostic& error(Span span, std::string message) { return add(Severity::Error, span, std::move(message)); }
  Diagnostic& warning(Span span, std::string message) { return add(Severity::Warning, span, std::move(message)); }

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t warnings() const { return warnings_; }
  [[nodiscard]] bool is_full() const { return all_.size() >= kMostKept; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
  // By source and place; the passes find them in their own order.
  void sort();

 private:
  Diagnostic& add(Severity severity, Span span, std::string message);

  std::vector<Diagnostic> all_;
  Diagnostic dropped_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

// main.vsl:3:9: error: unknown function `acept`
//   3 |     rule "a" || acept(),
//     |                 ^~~~~
//     = help: did you mean `accept`?
std::string render(const Diagnostic& diagnostic, const Sources& sources, bool with_colour = false);
// All of them and a last line "2 errors, 1 warning".
std::string render(const Diagnostics& diagnostics, const Sources& sources, bool with_colour = false);
// {"severity":"error","file":"main.vsl","line":3,"column":17,"end_line":3,"end_column":22,"message":"...","help":"...","notes":[...]}
std::string render_json(const Diagnostic& diagnostic, const Sources& sources);

}  // namespace vsl
