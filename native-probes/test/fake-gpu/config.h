// What the fakes of NVIDIA's libraries are told: a text file beside them, `fake-gpu.conf`. One entry a line: a word that
// says what it is, then key=value pairs; values are percent-encoded; lines that begin with # are comments.
//
//   driver version=12090 nvml_version=535.183.01
//   device uuid=GPU-11111111-2222-3333-4444-555555555555 name=Fake%20H100 cc=9.0 sms=4 smids=0,1,4,5 nsmid=8 …
//   fault kind=call call=cuMemAlloc_v2 from=3 to=3 error=2
//
// A reader takes the entries that it knows; one that it should know and does not understand ends the process, so that a
// test with a misspelled fault cannot pass as a healthy one.
#pragma once
#include <stdint.h>

#include <map>
#include <string>
#include <vector>

namespace sentinel::fake {

class Entry {
 public:
  Entry(std::string word, std::map<std::string, std::string> values);

  const std::string& word() const { return word_; }
  bool has(const std::string& key) const { return values_.count(key) != 0; }
  std::vector<std::string> keys() const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  // Decimal, or hexadecimal after 0x.
  uint64_t number(const std::string& key, uint64_t otherwise) const;
  double real(const std::string& key, double otherwise) const;
  // Numbers separated by commas.
  std::vector<uint32_t> list(const std::string& key) const;

 private:
  std::string word_;
  std::map<std::string, std::string> values_;
};

struct Config {
  std::vector<Entry> entries;

  std::vector<Entry> of(const std::string& word) const;
};

// Reads `fake-gpu.conf` in the folder of the shared library that contains `inside`. No file = no entries.
Config read_config(const void* inside);

[[noreturn]] void give_up(const std::string& sentence);

}  // namespace sentinel::fake
