// What a rule set names of the system while it is loaded: files of objects and services, programs.
#pragma once

#include <string>
#include <vector>

namespace rules {

struct NamedByRules {
  std::vector<std::string> read, written;  // files
  std::vector<std::string> programs;
};

// Lives while rules are loaded, in the thread that loads them: what they name goes into `named`.
class NamesCollected {
 public:
  explicit NamesCollected(NamedByRules& named);
  ~NamesCollected();
  NamesCollected(const NamesCollected&) = delete;
  NamesCollected& operator=(const NamesCollected&) = delete;

 private:
  NamedByRules* outer_;
};

// Nothing happens where nobody collects: in runs.
void note_read(const std::string& file);
void note_written(const std::string& file);
void note_program(const std::string& program);

}  // namespace rules
