#include "vsl-filter/lang/value.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/text.h"

using namespace vsl;

TEST_CASE("value: strings of up to 14 octets lie in the value") {
  Heap heap;
  const Value shorter = heap.string("12345678901234");
  const Value longer = heap.string("123456789012345");
  CHECK(shorter.is(Tag::Short));
  CHECK(longer.is(Tag::String));
  CHECK(shorter.as_text() == "12345678901234");
  CHECK(longer.as_text() == "123456789012345");
  CHECK(hash_of(longer) == hash_of(std::string_view("123456789012345")));
  CHECK(hash_of(longer) != hash_of(shorter));
}

TEST_CASE("value: an array that two see is copied when one changes it") {
  Heap heap;
  Value a = heap.array();
  a.array_for_write(heap).push(1);
  Value b = a;
  b.array_for_write(heap).push(2);
  CHECK(text_of(a) == "[1]");
  CHECK(text_of(b) == "[1, 2]");
  Object* alone = b.object();
  b.array_for_write(heap).push(3);
  CHECK(b.object() == alone);
}

TEST_CASE("value: assigning an element of an array to the variable that holds the array") {
  Heap heap;
  Value a = heap.array();
  a.array_for_write(heap).push(heap.string("a text that is long enough"));
  a = a.as_array()[0];
  CHECK(a.as_text() == "a text that is long enough");
}

TEST_CASE("value: all memory is given back") {
  Heap heap;
  {
    Value nested = heap.array();
    for (int i = 0; i < 200'000; ++i) {  // ends without recursion
      Value outer = heap.array();
      outer.array_for_write(heap).push(std::move(nested));
      nested = std::move(outer);
    }
    Value map = heap.map();
    for (int i = 0; i < 1000; ++i) map.map_for_write(heap).set("a rather long key " + std::to_string(i), heap.cell(heap.string(std::string(1000, 'x'))));
    CHECK(heap.used() > 1'000'000);
  }
  CHECK(heap.used() == 0);
}

TEST_CASE("map: finds, replaces and removes; walks in the order of keys") {
  for (const int count : {3, 8, 9, 20, 1000}) {
    CAPTURE(count);
    Heap heap;
    Value value = heap.map();
    Map& map = value.map_for_write(heap);
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i) keys.push_back((i % 3 == 0 ? "a key of more than 14 octets " : "k") + std::to_string(i * 7919 % count));
    for (int i = 0; i < count; ++i) map.set(keys[i], i);
    for (int i = 0; i < count; i += 2) map.set(keys[i], -i);
    REQUIRE(map.size() == keys.size());
    for (int i = 0; i < count; ++i) {
      REQUIRE(map.find(keys[i]) != nullptr);
      CHECK(map.find(keys[i])->as_int() == (i % 2 == 0 ? -i : i));
    }
    CHECK(map.find("absent") == nullptr);
    CHECK(map.find("absent, and longer than 14 octets") == nullptr);
    CHECK(std::ranges::is_sorted(map.entries(), {}, [](const Map::Entry& e) { return e.key.as_text(); }));
    for (int i = 0; i < count; i += 3) CHECK(map.remove(heap.string(keys[i])).is_int());
    CHECK(map.remove(heap.string("absent")).is_absent());
    for (int i = 0; i < count; ++i) CHECK((map.find(keys[i]) == nullptr) == (i % 3 == 0));
    CHECK(std::ranges::is_sorted(map.entries(), {}, [](const Map::Entry& e) { return e.key.as_text(); }));
    for (int i = 0; i < count; ++i) CHECK((map.find(keys[i]) == nullptr) == (i % 3 == 0));
  }
}

TEST_CASE("heap: a string grows in place only for its one owner") {
  Heap heap;
  Value a = heap.string("a text that is long enough");
  const Value b = a;
  heap.append(a, ", and more");
  CHECK(b.as_text() == "a text that is long enough");
  CHECK(a.as_text() == "a text that is long enough, and more");
  heap.append(a, a.as_text());
  CHECK(a.as_text() == "a text that is long enough, and morea text that is long enough, and more");
  Value c;
  c = heap.string("");
  for (int i = 0; i < 10'000; ++i) heap.append(c, "é");
  CHECK(code_points(c) == 10'000);
}

TEST_CASE("heap: more than the limit is noted, and nothing that large is made") {
  MemoryLimits limits;
  limits.string_octets = 100;
  limits.elements = 10;
  limits.octets = 4000;
  Heap heap(limits);
  Value text = heap.string(std::string(100, 'x'));
  CHECK_FALSE(heap.is_over());
  heap.append(text, "y");
  CHECK(heap.is_over());
  CHECK(heap.what_is_over() == "String");
  CHECK(text.as_text().size() == 100);

  Heap arrays(limits);
  Value array = arrays.array();
  for (int i = 0; i < 10; ++i) array.array_for_write(arrays).push(i);
  CHECK_FALSE(arrays.is_over());
  array.array_for_write(arrays).reserve(11);
  CHECK(arrays.what_is_over() == "Array");

  Heap all(limits);
  std::vector<Value> many;
  while (many.size() < 35)  // of 112 octets each
    many.push_back(all.string(std::string(70, 'x')));
  CHECK_FALSE(all.is_over());
  many.push_back(all.string(std::string(70, 'x')));
  CHECK(all.what_is_over() == "Memory");
}

TEST_CASE("heap: frozen objects are neither counted nor changed") {
  Heap heap;
  Value frozen = heap.array();
  frozen.array_for_write(heap).push(heap.string("a text that is long enough"));
  Heap::freeze({&frozen, 1});
  CHECK(frozen.object()->is_immortal());
  CHECK(frozen.as_array()[0].object()->is_immortal());
  Heap other;
  Value mine = frozen;
  mine.array_for_write(other).push(2);
  CHECK(text_of(frozen) == "[\"a text that is long enough\"]");
  CHECK(text_of(mine) == "[\"a text that is long enough\", 2]");
}

TEST_CASE("heap: host objects end with their last value, or with the heap") {
  static int ended = 0;
  ended = 0;
  const HostClass host_class{.name = "thing", .destroy = [](void*) noexcept { ++ended; }};
  {
    Heap heap;
    Value kept = heap.host(host_class, nullptr);
    { const Value dropped = heap.host(host_class, nullptr); }
    CHECK(ended == 1);
    Heap::freeze({&kept, 1});
  }
  CHECK(ended == 2);
}

TEST_CASE("text: floats always show that they are") {
  const std::pair<double, std::string_view> cases[] = {
      {2, "2.0"},     {0.5, "0.5"},       {-1.25, "-1.25"}, {1e15, "1000000000000000.0"}, {1e16, "1e16"},
      {1e20, "1e20"}, {1.5e300, "1.5e300"}, {1e-5, "0.00001"}, {1e-7, "1e-7"}, {0, "0.0"}, {100.0 / 3, "33.333333333333336"},
  };
  for (const auto& [number, text] : cases) CHECK(text_of(number) == text);
}

TEST_CASE("text: print shows texts bare, debug and elements quoted") {
  Heap heap;
  Value array = heap.array();
  Array& elements = array.array_for_write(heap);
  for (const Value& value : {Value(), Value(true), Value(1), Value::character(0xE9), heap.string("a\"\n")}) elements.push(value);
  CHECK(text_of(array) == "[(), true, 1, 'é', \"a\\\"\\n\"]");
  CHECK(text_of(Value()).empty());
  CHECK(debug_of(Value()) == "()");
  CHECK(text_of(heap.string("a\"")) == "a\"");
  CHECK(debug_of(Value::character('\'')) == "'\\''");
  Value map = heap.map();
  map.map_for_write(heap).set("k", 1);
  CHECK(text_of(map) == "#{\"k\": 1}");
  CHECK(text_of(heap.range(1, 5, true)) == "1..=5");
}
