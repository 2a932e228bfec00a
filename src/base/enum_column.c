#include "base/enum_column.h"

#include "base/text.h"

bool enum_column_find(const struct enum_column *column, const char *text, int *ret_index) {
        int index;

        if (!text)
                return false;
        if (column->lifecycle)
                return lifecycle_state(column->lifecycle, text, ret_index);
        index = text_index(column->texts, text);
        if (index < 0)
                return false;
        *ret_index = index;
        return true;
}

const char *enum_column_text(const struct enum_column *column, int index) {
        return column->lifecycle ? column->lifecycle->states[index] : column->texts[index];
}
