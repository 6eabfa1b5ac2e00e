#include "vsl-filter/services/named_by_rules.h"

#include <utility>

namespace rules {
namespace {

thread_local NamedByRules* collected = nullptr;

void note(std::vector<std::string> NamedByRules::*list, const std::string& name) {
  if (collected != nullptr) (collected->*list).push_back(name);
}

}  // namespace

NamesCollected::NamesCollected(NamedByRules& named) : outer_(std::exchange(collected, &named)) {}
NamesCollected::~NamesCollected() { collected = outer_; }

void note_read(const std::string& file) { note(&NamedByRules::read, file); }
void note_written(const std::string& file) { note(&NamedByRules::written, file); }
void note_program(const std::string& program) { note(&NamedByRules::programs, program); }

}  // namespace rules
