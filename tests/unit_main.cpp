// The unit tests of all rooms and programs in one program. The cases lie beside what they test, in *_test.cpp.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
