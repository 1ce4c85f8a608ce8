// The harness of the native tests: tests register themselves, checks stop a test at the first that fails.
//
//   LOWBIT_TEST("pool: every chunk runs once") {
//     LOWBIT_CHECK(total == 100);
//     LOWBIT_EQUAL(a, b);
//   }
//
// main.cc prints `ok <name>` or `not ok <name>: <why>` for each; test/native.test.ts makes them tests of ava.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace lowbit::test {

struct Test {
  const char* name;
  void (*run)(std::string* why);
};

inline std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  Registration(const char* name, void (*run)(std::string* why)) { Tests().push_back({name, run}); }
};

template <typename A, typename B>
std::string Unequal(const char* file, int line, const char* left, const A& a, const char* right, const B& b) {
  std::ostringstream text;
  text << file << ':' << line << ": " << left << " is " << +a << ", " << right << " is " << +b;
  return text.str();
}

}  // namespace lowbit::test

#define LOWBIT_JOIN_(a, b) a##b
#define LOWBIT_JOIN(a, b) LOWBIT_JOIN_(a, b)

#define LOWBIT_TEST(name) LOWBIT_TEST_(name, LOWBIT_JOIN(Test, __LINE__))
#define LOWBIT_TEST_(name, id)                                                       \
  static void id([[maybe_unused]] std::string* why);                                 \
  static const ::lowbit::test::Registration LOWBIT_JOIN(id, Registration)(name, id); \
  static void id([[maybe_unused]] std::string* why)

// These work inside the body of a test, and in functions that return void and take `std::string* why`.
#define LOWBIT_CHECK(condition)                                                                         \
  do {                                                                                                  \
    if (!(condition)) {                                                                                 \
      *why = std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #condition " does not hold"; \
      return;                                                                                           \
    }                                                                                                   \
  } while (false)

#define LOWBIT_EQUAL(a, b)                                                            \
  do {                                                                                \
    const auto lowbit_a = (a);                                                        \
    const auto lowbit_b = (b);                                                        \
    if (!(lowbit_a == lowbit_b)) {                                                    \
      *why = ::lowbit::test::Unequal(__FILE__, __LINE__, #a, lowbit_a, #b, lowbit_b); \
      return;                                                                         \
    }                                                                                 \
  } while (false)

// Says more than the condition: LOWBIT_CHECK_THAT(same, "3x5x7 seed 1")
#define LOWBIT_CHECK_THAT(condition, message)                                                      \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      *why = std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " + std::string(message); \
      return;                                                                                      \
    }                                                                                              \
  } while (false)
