-- Macros that formats and reductions share; made anew whenever a workspace is opened.

-- A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by magnitude.
create or replace macro instant_of(number) as
    case when abs(number) < 1e17
        then make_timestamp(cast(round(
            case when abs(number) < 1e11 then number * 1e6
                when abs(number) < 1e14 then number * 1e3
                else number end) as bigint))
        when abs(number) < 1e20 then make_timestamp(cast(round(number / 1e3) as bigint))
    end;

-- A time as text, in UTC: ISO 8601 with or without offset, or a number since 1970. Null where it is neither; the word
-- epoch, which a cast takes for 1970, stands in columns of other meanings.
-- Only the cast to timestamptz honours an offset (the session's zone is UTC), but it is slow; the cast to timestamp
-- ignores whatever follows the time, so it serves only where nothing does.
create or replace macro instant(words) as
    coalesce(
        case when regexp_full_match(words, '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:.]+Z?)?')
            then try_cast(words as timestamp)
            when lower(trim(words)) <> 'epoch' then try_cast(words as timestamptz) at time zone 'UTC' end,
        instant_of(try_cast(words as double)));

-- Hour of the week in UTC, Monday 00:00 is 0. 1970-01-01 was a Thursday, 72 hours after a Monday.
create or replace macro hour_of_week(moment) as
    cast((epoch_us(moment) // 3600000000 + 72) % 168 as integer);

-- Sums and means that do not depend on the order in which threads meet the rows: in whole billionths. A sum of doubles
-- differs in its last digit from run to run, and a study must not.
create or replace macro exact_sum(x) as cast(sum(cast(round(x * 1e9) as hugeint)) as double) / 1e9;
create or replace macro exact_avg(x) as cast(sum(cast(round(x * 1e9) as hugeint)) as double) / 1e9 / count(x);
-- The same of cores and GiB, in half the time: in 64 bits, which end at nine billion.
create or replace macro exact_mean(x) as
    cast(sum(cast(round(case when x > 9e9 then 9e9 else x end * 1e9) as bigint)) as double) / 1e9 / count(x);

-- The objects of a document that is one of them or a list of them.
create or replace macro objects_of(body) as
    case json_type(body) when 'ARRAY' then from_json(body, '["JSON"]') else [body] end;

-- The objects of all documents of a table, one a row.
create or replace macro objects_in(documents) as table
select unnest(objects_of(body)) as body from query_table(documents);

-- What runs (workload, cores, memory_percent) from second a to b, in a table of such runs, takes on average in each five
-- minutes that it touches.
create or replace macro in_slots(runs) as table
with cut as (
    select *, unnest(generate_series(cast(floor(a / 300) as bigint), cast(ceil(b / 300) as bigint) - 1)) as slot
    from query_table(runs)
)
select
    workload, slot, exact_sum(cores * (least(b, 300 * slot + 300) - greatest(a, 300 * slot)) / 300) as cpu_cores,
    exact_sum(memory_percent * (least(b, 300 * slot + 300) - greatest(a, 300 * slot)) / 300) as memory_percent
from cut
group by workload, slot;

-- What lists of Kubernetes in a table of documents hold, each with its kind: of one list, of lists in a list, of an object
-- alone; and how much of the list its server left out.
create or replace macro items_of(documents) as table
with lists as (select body as list from objects_in(documents)),
-- What is told of a list is read before its members are unnested, which would carry the text of the list beside each.
told as (
    select list->>'kind' as kind, coalesce(from_json(list->'items', '["JSON"]'), [list]) as members,
        case when list->>'$.metadata.continue' <> ''
            then coalesce(try_cast(list->>'$.metadata.remainingItemCount' as bigint), 1) end as unlisted
    from lists
),
apart as (select kind, unlisted, unnest(members) as member from told),
items as (
    select kind, unlisted, own_kind, unnest(own) as item
    from (
        select kind, unlisted, member->>'kind' as own_kind, coalesce(from_json(member->'items', '["JSON"]'), [member]) as own
        from apart
    )
)
select coalesce(item->>'kind', nullif(replace(coalesce(own_kind, kind), 'List', ''), '')) as kind, item, unlisted from items;

-- A number as people see it, with separators of thousands (1,024 or 1.024 or 1 024 or 1'024) or without; null where it is
-- none. A fraction may follow a point or a comma, and behind thousands the one of them that does not separate those
-- (1,024.5 or 1.024,5). A lone group of three behind a point or comma is thousands.
create or replace macro whole_number(words) as
    case when regexp_full_match(trim(words),
            '[1-9][0-9]{0,2}((,[0-9]{3})+|([.][0-9]{3})+|(''[0-9]{3})+|([ \x{a0}\x{202f}][0-9]{3})+)')
        then try_cast(regexp_replace(words, '[^0-9]', '', 'g') as double)
        when regexp_full_match(trim(words),
            '[1-9][0-9]{0,2}((,[0-9]{3})+|(''[0-9]{3})+|([ \x{a0}\x{202f}][0-9]{3})+)[.][0-9]+')
        then try_cast(regexp_replace(words, '[^0-9.]', '', 'g') as double)
        when regexp_full_match(trim(words),
            '[1-9][0-9]{0,2}(([.][0-9]{3})+|(''[0-9]{3})+|([ \x{a0}\x{202f}][0-9]{3})+),[0-9]+')
        then try_cast(replace(regexp_replace(words, '[^0-9,]', '', 'g'), ',', '.') as double)
        else try_cast(replace(trim(words), ',', '.') as double) end;
create or replace macro is_number(words) as whole_number(words) is not null;
create or replace macro number_or_empty(words) as coalesce(trim(words), '') = '' or is_number(words);

-- A time as a spreadsheet shows it: ISO 8601 or a country's way. The month comes first only where the clock has twelve
-- hours, and where no other order makes a date.
create or replace macro time_as_shown(words) as
    coalesce(
        instant(words),
        try_strptime(regexp_replace(trim(words), '[\x{a0}\x{202f}]', ' ', 'g'), [
            '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M %p', '%d/%m/%Y %I:%M:%S %p', '%d/%m/%Y %I:%M %p',
            '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M',
            '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%d-%m-%Y %H:%M:%S', '%d-%m-%Y %H:%M',
            '%Y. %m. %d. %H:%M:%S', '%Y.%m.%d %H:%M:%S', '%d/%m/%Y', '%d.%m.%Y'
        ]));

-- A quantity as Kubernetes writes it, such as 250m, 1.5, 128974848, 1e3, 1Gi or 64M; null where it is none.
create or replace macro quantity(words) as
    try_cast(regexp_extract(trim(words), '^([+-]?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]+)?|[+-]?[0-9]+[.])([numkMGTPE]|[KMGTPE]i)?$', 1) as double)
    * case regexp_extract(trim(words), '([numkMGTPE]|[KMGTPE]i)?$', 1)
        when 'n' then 1e-9 when 'u' then 1e-6 when 'm' then 1e-3 when 'k' then 1e3 when 'M' then 1e6 when 'G' then 1e9
        when 'T' then 1e12 when 'P' then 1e15 when 'E' then 1e18 when 'Ki' then 1024 when 'Mi' then 1048576
        when 'Gi' then 1073741824 when 'Ti' then 1099511627776 when 'Pi' then 1125899906842624
        when 'Ei' then 1152921504606846976 else 1 end;
