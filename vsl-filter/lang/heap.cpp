#include "vsl-filter/lang/heap.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "vsl-filter/lang/host_class.h"

namespace vsl {

namespace {

constexpr std::size_t rounded(std::size_t octets, std::size_t step) { return (octets + step - 1) / step * step; }

std::size_t octets_of(const Object& object) {
  switch (object.tag) {
    case Tag::String: return sizeof(String) + static_cast<const String&>(object).capacity;
    case Tag::Array: return sizeof(Array);
    case Tag::Blob: return sizeof(Blob);
    case Tag::Map: return sizeof(Map);
    case Tag::Range: return sizeof(Range);
    case Tag::Function: {
      const auto& function = static_cast<const Function&>(object);
      return sizeof(Function) + (std::size_t{function.captured} + function.curried) * sizeof(Value);
    }
    case Tag::Host: return sizeof(HostObject);
    default: return sizeof(Cell);
  }
}

}  // namespace

void Value::destroy(Object* object) noexcept { object->heap->destroy(object); }

Heap::~Heap() {
  while (hosts_ != nullptr) {
    HostObject* host = hosts_;
    hosts_ = host->next;
    if (hosts_ != nullptr) hosts_->link = &hosts_;
    if (host->host_class->destroy != nullptr) host->host_class->destroy(host->data);
  }
  while (large_ != nullptr) {
    Large* large = large_;
    large_ = large->next;
    std::free(large);
  }
}

void* Heap::allocate(std::size_t octets) {
  octets = rounded(octets, kStep);
  used_ += octets;
  if (octets > kLargestSmall) return allocate_large(octets);
  Free*& free = free_[octets / kStep];
  if (free == nullptr) return allocate_from_chunk(octets);
  return std::exchange(free, free->next);
}

void* Heap::allocate_from_chunk(std::size_t octets) {
  if (static_cast<std::size_t>(chunk_end_ - chunk_) < octets) {
    // What is left of the old chunk is given up: less than kLargestSmall.
    chunks_.push_back(std::unique_ptr<char[]>(new char[next_chunk_]));
    chunk_ = chunks_.back().get();
    chunk_end_ = chunk_ + next_chunk_;
    next_chunk_ = std::min(next_chunk_ * 2, kLargestChunk);
  }
  return std::exchange(chunk_, chunk_ + octets);
}

void* Heap::allocate_large(std::size_t octets) {
  auto* large = static_cast<Large*>(std::malloc(sizeof(Large) + octets));
  if (large == nullptr) throw std::bad_alloc();
  large->next = large_;
  large->link = &large_;
  if (large_ != nullptr) large_->link = &large->next;
  large_ = large;
  return large + 1;
}

void Heap::deallocate(void* memory, std::size_t octets) {
  if (memory == nullptr) return;
  octets = rounded(octets, kStep);
  used_ -= octets;
  if (octets > kLargestSmall) {
    Large* large = static_cast<Large*>(memory) - 1;
    *large->link = large->next;
    if (large->next != nullptr) large->next->link = large->link;
    std::free(large);
    return;
  }
  auto* free = static_cast<Free*>(memory);
  free->next = free_[octets / kStep];
  free_[octets / kStep] = free;
}

// Large pieces may move without being copied: realloc() can move pages.
void* Heap::enlarge(void* memory, std::size_t used, std::size_t old_octets, std::size_t new_octets) {
  old_octets = rounded(old_octets, kStep);
  new_octets = rounded(new_octets, kStep);
  if (old_octets <= kLargestSmall) {
    void* place = allocate(new_octets);
    if (used > 0) std::memcpy(place, memory, used);
    deallocate(memory, old_octets);
    return place;
  }
  auto* large = static_cast<Large*>(std::realloc(static_cast<Large*>(memory) - 1, sizeof(Large) + new_octets));
  if (large == nullptr) throw std::bad_alloc();
  *large->link = large;
  if (large->next != nullptr) large->next->link = &large->next;
  used_ += new_octets - old_octets;
  return large + 1;
}

template <class T>
T* Heap::make(Tag tag, std::size_t more_octets) {
  T* object = ::new (allocate(sizeof(T) + more_octets)) T;
  object->count = 1;
  object->tag = tag;
  object->heap = this;
  return object;
}

Value Heap::long_string(std::string_view text, std::size_t room) {
  if (!may_hold_string(text.size())) {
    note_too_large("String");
    text = {};
    room = 0;
  }
  const std::size_t capacity = rounded(sizeof(String) + room, kStep) - sizeof(String);
  auto* string = make<String>(Tag::String, capacity);
  string->octets = static_cast<std::uint32_t>(text.size());
  string->capacity = static_cast<std::uint32_t>(capacity);
  string->code_points = String::kUnknown;
  string->hash = 0;
  std::copy(text.begin(), text.end(), string->data());
  return Value(static_cast<Object*>(string));
}

void Heap::append(Value& target, std::string_view more) {
  if (more.empty()) return;
  const std::string_view text = target.as_text();
  const std::size_t octets = text.size() + more.size();
  if (target.is(Tag::String) && target.object()->count == 1) {
    auto* string = static_cast<String*>(target.object());
    if (octets <= string->capacity && may_hold_string(octets)) {
      std::memmove(string->data() + string->octets, more.data(), more.size());  // `more` may lie in the string itself
      string->octets = static_cast<std::uint32_t>(octets);
      string->code_points = String::kUnknown;
      string->hash = 0;
      return;
    }
  }
  if (octets <= Value::kShortOctets) {
    target = concatenate(text, more);
    return;
  }
  if (!may_hold_string(octets)) {
    note_too_large("String");
    return;
  }
  Value grown = long_string(text, std::min(octets * 2, limits_.string_octets));
  auto* string = static_cast<String*>(grown.object());
  std::copy(more.begin(), more.end(), string->data() + string->octets);
  string->octets = static_cast<std::uint32_t>(octets);
  target = std::move(grown);
}

Value Heap::concatenate(std::string_view a, std::string_view b) {
  const std::size_t octets = a.size() + b.size();
  if (octets <= Value::kShortOctets) {
    char text[Value::kShortOctets];
    std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), text));
    return Value::short_string({text, octets});
  }
  if (!may_hold_string(octets)) {
    note_too_large("String");
    return {};
  }
  Value sum = long_string(a, octets);
  auto* string = static_cast<String*>(sum.object());
  std::copy(b.begin(), b.end(), string->data() + a.size());
  string->octets = static_cast<std::uint32_t>(octets);
  return sum;
}

Value Heap::array(std::size_t room) {
  auto* array = make<Array>(Tag::Array);
  array->elements = nullptr;
  array->length = array->capacity = 0;
  if (room > 0) array->reserve(room);
  return Value(static_cast<Object*>(array));
}

Value Heap::array(std::span<const Value> elements) {
  Value value = array(elements.size());
  value.array_for_write(*this).append(elements);
  return value;
}

Value Heap::blob(std::span<const std::uint8_t> bytes) {
  auto* blob = make<Blob>(Tag::Blob);
  blob->bytes = nullptr;
  blob->length = blob->capacity = 0;
  blob->append(bytes);
  return Value(static_cast<Object*>(blob));
}

Value Heap::map() {
  auto* map = make<Map>(Tag::Map);
  map->items = nullptr;
  map->index = nullptr;
  map->length = map->capacity = map->index_size = 0;
  map->in_order = true;
  return Value(static_cast<Object*>(map));
}

Value Heap::range(std::int64_t first, std::int64_t last, bool is_inclusive) {
  auto* range = make<Range>(Tag::Range);
  range->first = first;
  range->last = last;
  range->is_inclusive = is_inclusive;
  return Value(static_cast<Object*>(range));
}

Value Heap::function(const Code* code, const Value& name, std::span<const Value> captured, std::span<const Value> curried,
                     const ModuleCode* module) {
  auto* function = make<Function>(Tag::Function, (captured.size() + curried.size()) * sizeof(Value));
  function->code = code;
  function->module = module;
  function->name = name;
  function->captured = static_cast<std::uint16_t>(captured.size());
  function->curried = static_cast<std::uint16_t>(curried.size());
  Value* bound = std::uninitialized_copy(captured.begin(), captured.end(), function->bound());
  std::uninitialized_copy(curried.begin(), curried.end(), bound);
  return Value(static_cast<Object*>(function));
}

Value Heap::cell(Value value) {
  auto* cell = make<Cell>(Tag::Cell);
  cell->value = std::move(value);
  return Value(static_cast<Object*>(cell));
}

Value Heap::host(const HostClass& host_class, void* data) {
  auto* host = make<HostObject>(Tag::Host);
  host->host_class = &host_class;
  host->data = data;
  host->next = hosts_;
  host->link = &hosts_;
  if (hosts_ != nullptr) hosts_->link = &host->next;
  hosts_ = host;
  return Value(static_cast<Object*>(host));
}

// Without recursion, however deep arrays lie in arrays: what dies while something dies waits in a list.
void Heap::destroy(Object* object) noexcept {
  object->heap = reinterpret_cast<Heap*>(dying_);
  dying_ = object;
  if (is_destroying_) return;
  is_destroying_ = true;
  while (dying_ != nullptr) {
    Object* next = dying_;
    dying_ = reinterpret_cast<Object*>(next->heap);
    next->heap = this;
    end(next);
  }
  is_destroying_ = false;
}

void Heap::end(Object* object) noexcept {
  const std::size_t octets = octets_of(*object);
  switch (object->tag) {
    case Tag::Array: {
      auto& array = static_cast<Array&>(*object);
      std::destroy_n(array.elements, array.length);
      deallocate(array.elements, array.capacity * sizeof(Value));
      break;
    }
    case Tag::Blob: deallocate(static_cast<Blob&>(*object).bytes, static_cast<Blob&>(*object).capacity); break;
    case Tag::Map: {
      auto& map = static_cast<Map&>(*object);
      std::destroy_n(map.items, map.length);
      deallocate(map.items, map.capacity * sizeof(Map::Entry));
      deallocate(map.index, map.index_size * sizeof(std::uint32_t));
      break;
    }
    case Tag::Function: {
      auto& function = static_cast<Function&>(*object);
      std::destroy_n(function.bound(), function.captured + function.curried);
      function.name.~Value();
      break;
    }
    case Tag::Host: {
      auto& host = static_cast<HostObject&>(*object);
      *host.link = host.next;
      if (host.next != nullptr) host.next->link = host.link;
      if (host.host_class->destroy != nullptr) host.host_class->destroy(host.data);
      break;
    }
    case Tag::Cell: static_cast<Cell&>(*object).value.~Value(); break;
    default: break;
  }
  deallocate(object, octets);
}

void Heap::freeze(std::span<Value> roots) {
  std::vector<Object*> open;
  const auto see = [&open](const Value& value) {
    if (!value.is_object() || value.object()->is_immortal()) return;
    if (value.is(Tag::String)) {
      code_points(value);
      hash_of(value);
    }
    if (value.is_map()) static_cast<void>(value.as_map().entries());
    value.object()->count = Object::kImmortal;
    open.push_back(value.object());
  };
  for (const Value& root : roots) see(root);
  while (!open.empty()) {
    Object* object = open.back();
    open.pop_back();
    switch (object->tag) {
      case Tag::Array:
        for (const Value& element : static_cast<Array&>(*object)) see(element);
        break;
      case Tag::Map:
        for (const auto& [key, value] : static_cast<Map&>(*object).entries()) see(key), see(value);
        break;
      case Tag::Function: {
        auto& function = static_cast<Function&>(*object);
        see(function.name);
        for (int i = 0; i < function.captured + function.curried; ++i) see(function.bound()[i]);
        break;
      }
      case Tag::Cell: see(static_cast<Cell&>(*object).value); break;
      case Tag::Host: {
        auto& host = static_cast<HostObject&>(*object);
        if (host.host_class->freeze != nullptr) host.host_class->freeze(host);
        break;
      }
      default: break;
    }
  }
}

}  // namespace vsl
