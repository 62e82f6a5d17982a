-- FOCUS billing, versions 1.0 to 1.3, CSV or Parquet: what is paid today, by provider, service, region and month
--
-- Source: FinOps Open Cost and Usage Specification, columns of 1.2 (those of 1.0 are among them) and the names of
-- who provides of 1.3, which has them beside the deprecated ProviderName and PublisherName. Ends of periods are
-- exclusive, times are UTC. BilledCost is what the invoice says; EffectiveCost spreads what was paid ahead over what
-- used it. A charge belongs to the month in which its period begins: some sellers bill it in the next. Extra columns
-- are skipped, so are tags. A bill tells no sizes and no use, so no workload comes out of it.

create temp table bill (
    BilledCost double not null check (BilledCost between -1e12 and 1e12),
    EffectiveCost double not null check (EffectiveCost between -1e12 and 1e12),
    BillingCurrency varchar not null check (regexp_full_match(trim(BillingCurrency), '[A-Za-z]{3}')),
    BillingPeriodStart timestamp not null check (BillingPeriodStart between '1990-01-01' and '2100-01-01'),
    ChargePeriodStart timestamp not null check (ChargePeriodStart between '1990-01-01' and '2100-01-01'),
    ChargePeriodEnd timestamp not null check (ChargePeriodEnd between '1990-01-01' and '2110-01-01'),
    ChargeCategory varchar not null,
    ChargeClass varchar,
    ServiceProviderName varchar,
    ProviderName varchar,
    PublisherName varchar,
    HostProviderName varchar,
    InvoiceIssuerName varchar,
    ServiceName varchar,
    ServiceCategory varchar,
    ListCost double check (ListCost between -1e12 and 1e12),
    ConsumedQuantity double check (ConsumedQuantity between -1e15 and 1e15),
    ConsumedUnit varchar,
    PricingQuantity double check (PricingQuantity between -1e15 and 1e15),
    PricingUnit varchar,
    PricingCategory varchar,
    CommitmentDiscountId varchar,
    RegionId varchar,
    RegionName varchar,
    ResourceId varchar,
    ResourceName varchar,
    ResourceType varchar,
    SkuId varchar,
    SubAccountId varchar,
    BillingAccountId varchar,
    check (coalesce(ServiceProviderName, ProviderName, PublisherName, HostProviderName, InvoiceIssuerName) is not null),
    check (ChargePeriodEnd >= ChargePeriodStart)
);
comment on column bill.ProviderName is 'Provider';
comment on column bill.PublisherName is 'Publisher';
comment on table bill is '{"null": "NULL", "streamed": true, "needed": true}';

insert into charges by name
select
    $trace_id as trace_id,
    coalesce(ServiceProviderName, ProviderName, PublisherName, HostProviderName, InvoiceIssuerName) as provider,
    coalesce(ServiceCategory, 'Other') as service_category,
    coalesce(ServiceName, 'not told') as service,
    SkuId as sku, coalesce(ResourceId, ResourceName) as resource, ResourceType as resource_type,
    coalesce(SubAccountId, BillingAccountId) as account, coalesce(RegionId, RegionName) as region,
    ChargeCategory as charge_category, PricingCategory as pricing_category, CommitmentDiscountId as commitment,
    coalesce(lower(ChargeClass) = 'correction', false) as correction,
    cast(date_trunc('month', ChargePeriodStart) as date) as month,
    ChargePeriodStart as period_start, ChargePeriodEnd as period_end,
    BilledCost as billed_amount, EffectiveCost as effective_amount, ListCost as list_amount,
    coalesce(ConsumedQuantity, PricingQuantity) as quantity,
    case when ConsumedQuantity is null then PricingUnit else ConsumedUnit end as unit,
    upper(trim(BillingCurrency)) as currency
from bill;

insert into notes
select format('charges are in {}: only USD is added up, unless the scenario states a rate ([today] usd_per)',
    string_agg(distinct currency, ', ' order by currency))
from charges where trace_id = $trace_id having count(*) filter (currency <> 'USD') > 0;

insert into notes
select format('the charges of {} reach from {} to {}, not over the whole month: its cost is what was billed so far',
    strftime(month, '%Y-%m'), cast(a as date), cast(b as date))
from (
    select month, min(greatest(period_start, month)) as a, max(least(period_end, month + interval 1 month)) as b
    from charges where trace_id = $trace_id and not correction group by month
)
where a > month + interval 1 day or b < month + interval 1 month - interval 1 day
order by month;

-- Alike charges are legal. A seller that exports a month again every day writes most of them again each time.
insert into notes
select format('about {} of {} charges are equal to another one in all that is read: each counts. Where several exports '
    'of one month lie in the folder, keep the latest', again, n)
from (
    select count(*) as n, n - approx_count_distinct(hash(provider, service, sku, resource, account, region,
        charge_category, period_start, period_end, billed_amount, effective_amount, list_amount, quantity)) as again
    from charges where trace_id = $trace_id
)
where again > n / 10;
