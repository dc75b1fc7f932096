#include "cubin.h"

#include <elf.h>
#include <string.h>

namespace sentinel::fake {
namespace {

constexpr uint16_t kMachineCuda = 190;
constexpr uint32_t kAbiWithWideArchitecture = 8;  // since Blackwell: the architecture lies in the second byte of the flags

// Records of .nv.info: format, attribute, and a half word, which for kSized is the length of what follows.
constexpr uint8_t kSized = 4;
constexpr uint8_t kMaxThreads = 0x05;
constexpr uint8_t kParameterInfo = 0x17;
constexpr uint8_t kRegisterCount = 0x2f;
constexpr uint32_t kParameterSizeShift = 18;

template <class Value>
Value read_at(const uint8_t* bytes) {
  Value value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

struct Sections {
  const uint8_t* image;
  const Elf64_Ehdr* header;
  const Elf64_Shdr* table;

  explicit Sections(const void* bytes)
      : image(static_cast<const uint8_t*>(bytes)),
        header(reinterpret_cast<const Elf64_Ehdr*>(image)),
        table(reinterpret_cast<const Elf64_Shdr*>(image + header->e_shoff)) {}

  const uint8_t* content(const Elf64_Shdr& section) const { return image + section.sh_offset; }
  std::string name(const Elf64_Shdr& section) const {
    return reinterpret_cast<const char*>(content(table[header->e_shstrndx]) + section.sh_name);
  }
  const Elf64_Shdr* find(const std::string& wanted) const {
    for (uint32_t i = 0; i < header->e_shnum; i++) {
      if (name(table[i]) == wanted) return &table[i];
    }
    return nullptr;
  }
};

// use(attribute, payload) for every record with a payload.
template <class Use>
void each_record(const Sections& sections, const std::string& section_name, Use use) {
  const Elf64_Shdr* section = sections.find(section_name);
  if (section == nullptr) return;
  const uint8_t* bytes = sections.content(*section);
  for (uint64_t at = 0; at + 4 <= section->sh_size;) {
    const uint16_t size = read_at<uint16_t>(bytes + at + 2);
    if (bytes[at] == kSized) use(bytes[at + 1], bytes + at + 4);
    at += 4u + (bytes[at] == kSized ? size : 0u);
  }
}

CubinFunction function_named(const Sections& sections, const std::string& name, uint32_t symbol) {
  CubinFunction function;
  each_record(sections, ".nv.info." + name, [&](uint8_t attribute, const uint8_t* payload) {
    if (attribute == kMaxThreads) function.most_threads = read_at<uint32_t>(payload);
    if (attribute != kParameterInfo) return;
    const uint32_t ordinal = read_at<uint16_t>(payload + 4);
    if (function.parameters.size() <= ordinal) function.parameters.resize(ordinal + 1);
    function.parameters[ordinal] = {read_at<uint16_t>(payload + 6),
                                    read_at<uint32_t>(payload + 8) >> kParameterSizeShift};
  });
  each_record(sections, ".nv.info", [&](uint8_t attribute, const uint8_t* payload) {
    if (attribute == kRegisterCount && read_at<uint32_t>(payload) == symbol) {
      function.registers = read_at<uint32_t>(payload + 4);
    }
  });
  const Elf64_Shdr* shared = sections.find(".nv.shared." + name);
  if (shared != nullptr) function.static_shared_bytes = static_cast<uint32_t>(shared->sh_size);
  return function;
}

bool begins_as_zeros(const Sections& sections, const Elf64_Sym& symbol) {
  return symbol.st_shndx < sections.header->e_shnum && sections.name(sections.table[symbol.st_shndx]) == ".nv.global";
}

void read_symbols(const Sections& sections, Cubin& cubin) {
  const Elf64_Shdr* symbols = sections.find(".symtab");
  const Elf64_Shdr* names = sections.find(".strtab");
  if (symbols == nullptr || names == nullptr) return;
  const auto* table = reinterpret_cast<const Elf64_Sym*>(sections.content(*symbols));
  for (uint32_t i = 0; i < symbols->sh_size / sizeof(Elf64_Sym); i++) {
    const Elf64_Sym& symbol = table[i];
    const std::string name = reinterpret_cast<const char*>(sections.content(*names) + symbol.st_name);
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (type == STT_FUNC && ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL) {
      cubin.functions[name] = function_named(sections, name, i);
    } else if (type == STT_OBJECT && begins_as_zeros(sections, symbol)) {
      cubin.variables[name] = static_cast<uint32_t>(symbol.st_size);
    }
  }
}

}  // namespace

bool Cubin::runs_on(uint32_t major, uint32_t minor) const {
  if (architecture_only) return architecture == major * 10 + minor;
  return architecture / 10 == major && architecture % 10 <= minor;
}

std::optional<Cubin> parse_cubin(const void* image) {
  const auto* header = static_cast<const Elf64_Ehdr*>(image);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_machine != kMachineCuda) return std::nullopt;
  Cubin cubin;
  cubin.abi_version = header->e_ident[EI_ABIVERSION];
  const bool wide = cubin.abi_version >= kAbiWithWideArchitecture;
  cubin.architecture = (wide ? header->e_flags >> 8 : header->e_flags) & 0xff;
  cubin.architecture_only = (header->e_flags & (wide ? 0x8u : 0x800u)) != 0;
  read_symbols(Sections(image), cubin);
  return cubin;
}

}  // namespace sentinel::fake
