#include "config.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace sentinel::fake {
namespace {

std::string decoded(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(strtoul(text.substr(i + 1, 2).c_str(), nullptr, 16));
    i += 2;
  }
  return plain;
}

Entry parse_line(const std::string& line) {
  std::istringstream words(line);
  std::string word, pair;
  std::map<std::string, std::string> values;
  words >> word;
  while (words >> pair) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) give_up("fake-gpu.conf: no value in \"" + pair + "\"");
    values[pair.substr(0, equals)] = decoded(pair.substr(equals + 1));
  }
  return {word, values};
}

std::string folder_of(const void* inside) {
  Dl_info info{};
  if (dladdr(inside, &info) == 0 || info.dli_fname == nullptr) give_up("dladdr does not know where the fake lies");
  const std::string file = info.dli_fname;
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

template <class Value, class Parse>
Value parsed(const std::string& key, const std::string& text, Parse parse) {
  char* end = nullptr;
  const Value value = static_cast<Value>(parse(text.c_str(), &end));
  if (text.empty() || *end != '\0') give_up("fake-gpu.conf: " + key + "=" + text + " is no number");
  return value;
}

uint64_t integer(const std::string& key, const std::string& text) {
  return parsed<uint64_t>(key, text, [](const char* start, char** end) { return strtoull(start, end, 0); });
}

}  // namespace

Entry::Entry(std::string word, std::map<std::string, std::string> values)
    : word_(std::move(word)), values_(std::move(values)) {}

std::vector<std::string> Entry::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_) keys.push_back(key);
  return keys;
}

std::string Entry::text(const std::string& key, const std::string& otherwise) const {
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

uint64_t Entry::number(const std::string& key, uint64_t otherwise) const {
  return has(key) ? integer(key, values_.at(key)) : otherwise;
}

double Entry::real(const std::string& key, double otherwise) const {
  return has(key) ? parsed<double>(key, values_.at(key), strtod) : otherwise;
}

std::vector<uint32_t> Entry::list(const std::string& key) const {
  std::vector<uint32_t> numbers;
  std::istringstream items(text(key, ""));
  for (std::string item; std::getline(items, item, ',');) numbers.push_back(static_cast<uint32_t>(integer(key, item)));
  return numbers;
}

std::vector<Entry> Config::of(const std::string& word) const {
  std::vector<Entry> found;
  for (const Entry& entry : entries) {
    if (entry.word() == word) found.push_back(entry);
  }
  return found;
}

Config read_config(const void* inside) {
  Config config;
  std::ifstream file(folder_of(inside) + "/fake-gpu.conf");
  for (std::string line; std::getline(file, line);) {
    if (line.find_first_not_of(" \t") != std::string::npos && line[0] != '#') config.entries.push_back(parse_line(line));
  }
  return config;
}

void give_up(const std::string& sentence) {
  fprintf(stderr, "fake GPU: %s\n", sentence.c_str());
  abort();
}

}  // namespace sentinel::fake
