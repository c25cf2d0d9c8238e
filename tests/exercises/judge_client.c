#include "judge.h"
const struct exercise client_exercises[] = {{0}};
const struct exercise chat_exercises[] = {{0}};
const struct exercise classify_exercises[] = {{0}};
