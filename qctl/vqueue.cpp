#include "qctl/vqueue.h"

#include <algorithm>

#include "lib/queue/place.h"

namespace qctl {
namespace {
bool is_queue(const std::string& word) { return word == "quarantine" || queue::Place::parse(word).has_value(); }
}  // namespace

std::vector<std::string> from_vqueue(std::vector<std::string> words) {
  if (words.size() > 1 && words[0] == "show" && std::all_of(words.begin() + 1, words.end(), is_queue)) words[0] = "status";
  if (words.size() < 3 || words[0] != "msg") return words;
  const std::string id = words[1], verb = words[2];
  const std::string form = words.size() == 4 ? words[3] : "";
  if (verb == "show" && (form.empty() || form == "json") && words.size() <= 4) return {"context", id};
  if (verb == "show" && form == "eml") return {"cat", id};
  if (verb == "move" && words.size() == 4) return {"move", id, form};
  if (verb == "remove" && words.size() == 3) return {"remove", id};
  return words;
}

}  // namespace qctl
